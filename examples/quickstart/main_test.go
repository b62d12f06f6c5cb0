package main

// What the program prints, line by line.
func Example() {
	main()
	// Output:
	// 0:00  the user registers, with a password and a PIN
	// 1:00  the phone asks, presents nothing, and gets a device on basis "grace"
	// 1:00    id 738e379f-fe30-45ab-819c-ba88804b6368, secret OF2WSY3LON2GC4TUFVZWKY3SMV2C2MBR
	// 1:00    SHA1, 6 digits, every 30s
	// 6:00  six minutes after registration, presenting nothing: 403 credentials-required
	// 6:00  a tablet presents a wrong OTP, a wrong password and the PIN: a device on basis "pin"
	// 6:00  the phone shows 186118, and the service accepts it, from device 738e379f-fe30-45ab-819c-ba88804b6368
	// 6:00  the same code again: 403 invalid-credentials
}
