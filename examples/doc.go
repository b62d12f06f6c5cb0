// Package examples holds the README to its word: its code is compiled, and the
// store that it shows is proved. Its tests also show that requests compare with
// go-cmp and that a reader of another author scans the QR codes. Its folders are
// the examples.
//
//   - quickstart is the life of one account, in one file.
//   - server serves the documented endpoint on SQLite, PostgreSQL or memory.
//   - grpc puts the Issuer behind gRPC, a transport that is not in the library.
//   - embed adds the library to a service that had users before.
//   - timing measures whether the time of a refusal tells why it was refused.
//   - chaos kills the server and PostgreSQL under load, and compares.
//   - processes is a test: many processes on one database.
//   - bench measures throughput, overload and growth beside the peers.
//   - otel shows the library under OpenTelemetry.
//   - routers, clients and openapi are tests: the endpoint under chi, gin and
//     echo, called by JSON:API clients that were not written here, and held
//     against its OpenAPI document.
//   - browser is a test: the server's demo page in headless Chromium.
package examples
