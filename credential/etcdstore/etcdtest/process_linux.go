package etcdtest

import (
	"os/exec"
	"syscall"
)

// endWithParent makes cmd end with this process, however that ends.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
