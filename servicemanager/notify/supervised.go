package notify

import (
	"os"
	"strconv"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// evidence is what supervisor decides on.
type evidence struct {
	pipe       bool   // NOTIFY_FD is usable
	socket     bool   // NOTIFY_SOCKET is set
	invocation string // INVOCATION_ID
	execPID    string // SYSTEMD_EXEC_PID
	xpcName    string // XPC_SERVICE_NAME
	pid, ppid  int
	parent     string // the parent's name; "" if unknown
}

func supervisor(e evidence) servicemanager.Kind {
	switch {
	case e.pipe, e.parent == "s6-supervise":
		return servicemanager.KindS6
	case e.socket:
		return servicemanager.KindSystemd
	case e.invocation != "" && (e.execPID == "" || e.execPID == strconv.Itoa(e.pid)):
		return servicemanager.KindSystemd
	case e.xpcName != "" && e.xpcName != "0" && !strings.HasPrefix(e.xpcName, "application.") && e.ppid == 1:
		return servicemanager.KindLaunchd
	default:
		return ""
	}
}

// processName reads the name of a process from Linux's /proc, where every
// user may; elsewhere it is "".
func processName(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}
