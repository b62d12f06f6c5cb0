package mariadbtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged makes cmd run as the user mysql if this process is root, which
// MariaDB refuses to be, and end with this process, however that ends.
func unprivileged(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := mysqlUser()
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// handOver gives the directory to that user.
func handOver(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := mysqlUser()
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

func mysqlUser() (uid, gid int, err error) {
	u, err := user.Lookup("mysql")
	if err != nil {
		return 0, 0, fmt.Errorf("root cannot run MariaDB, and: %w", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
