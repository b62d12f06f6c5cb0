// The example server, built and started as a process of its own.
import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const examples = path.join(import.meta.dirname, "../../..");

// startServer returns the server once it serves on a free port. It keeps its
// accounts in memory, and its key and its binary in the folder given. Without
// accounts it has the demo accounts.
export async function startServer(folder, accounts) {
  const binary = path.join(folder, "server");
  await promisify(execFile)("go", ["build", "-o", binary, "./server"], { cwd: examples });
  const args = ["-demo", "-addr", "127.0.0.1:0", "-store", "memory", "-key-file", path.join(folder, "key")];
  if (accounts) {
    const file = path.join(folder, "accounts.json");
    await writeFile(file, JSON.stringify(accounts));
    args.push("-accounts", file);
  }
  const child = spawn(binary, args);
  const ended = new Promise((resolve) => child.once("close", resolve));
  let out = "", log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => { log += text; });

  const base = await new Promise((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
      const line = out.match(/in a browser: (http:\S+)\/demo\n/);
      if (line) resolve(line[1]);
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`the server ended:\n${out}${log}`)));
  });
  return {
    base,
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      return log;
    },
  };
}
