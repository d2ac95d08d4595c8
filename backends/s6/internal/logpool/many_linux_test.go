package logpool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

// A thousand logs, whose FIFOs are more than an unprivileged user may have at full
// size: those above hold less, and nothing is lost.
func TestThousandLogs(t *testing.T) {
	const n = 1100
	root := t.TempDir()
	p := start(t, nil)
	var services []*os.File
	for i := range n {
		dir := logDir(t, filepath.Join(root, fmt.Sprint(i)), "./main")
		p.send(wire.Add, fmt.Sprint(i), dir)
		p.send(wire.Stop, fmt.Sprint(i))
		s := service(t, dir)
		must(t, unix.SetNonblock(int(s.Fd()), true))
		services = append(services, s)
	}
	p.answers.wantsTimes(t, "opened ", n)
	var pages, shrunk int
	sizes := make([]int, n)
	text := numbered(0, 64<<10)
	for i, s := range services {
		m, err := unix.Write(int(s.Fd()), []byte(text))
		must(t, err)
		sizes[i] = m
		pages += (m + 4095) / 4096
		if m < 32<<10 {
			shrunk++
		}
	}
	for i := range services {
		p.send(wire.Cont, fmt.Sprint(i))
	}
	for i, s := range services {
		until(t, "an empty FIFO", func() bool { return unread(t, s) == 0 })
		shows(t, filepath.Join(root, fmt.Sprint(i), "main"), "000000000 ")
	}
	shared, private := pss(t, p.cmd.Process.Pid)
	t.Logf("%d logs: %d pages in FIFOs, %d of which are small; %d KiB PSS, %d KiB private after the work", n, pages, shrunk, shared>>10, private>>10)
	if most := 32 << 20; shared > most && !underRace {
		t.Errorf("they take %d bytes, more than %d", shared, most)
	}
	p.finish()
	for i := range services {
		if got := content(t, filepath.Join(root, fmt.Sprint(i), "main")); got != text[:sizes[i]] {
			t.Fatalf("log %d: %d bytes of %d", i, len(got), sizes[i])
		}
	}
}

// A hundred logs with nothing to do cost little, after they have had work too.
func TestMemoryOfIdleLogs(t *testing.T) {
	if underRace {
		t.Skip("the race detector takes memory")
	}
	const n = 100
	root := t.TempDir()
	p := start(t, nil)
	var services []*os.File
	for i := range n {
		dir := logDir(t, filepath.Join(root, fmt.Sprint(i)), "n10", "s1000000", "T", filepath.Join(root, "logs", fmt.Sprint(i)))
		p.add(fmt.Sprint(i), dir)
		services = append(services, service(t, dir))
	}
	const most = 5 << 20
	var shared, private int
	small := func() bool {
		shared, private = pss(t, p.cmd.Process.Pid)
		return shared <= most
	}
	until(t, "small memory", small)
	fresh, freshPrivate := shared, private
	for range 10 {
		for i, s := range services {
			fmt.Fprintf(s, "log %d says what it does, which is not much\n", i)
		}
	}
	for _, s := range services {
		until(t, "an empty FIFO", func() bool { return unread(t, s) == 0 })
	}
	until(t, "small memory after work", small)
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	must(t, err)
	t.Logf("%d idle logs: %d KiB PSS, %d KiB private; after work %d and %d; %d descriptors", n,
		fresh>>10, freshPrivate>>10, shared>>10, private>>10, len(fds))
	if len(fds) > 4*n+20 {
		t.Errorf("%d logs have %d descriptors", n, len(fds))
	}
	p.finish()
}

// Where a sandbox has no tee, lines are copied all the same.
func TestWithoutTee(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "n100", "./main")
	p := start(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, noTeeVar+"=1") })
	p.add("web", dir)
	s := service(t, dir)
	text := numbered(0, 500<<10)
	fmt.Fprint(s, text)
	p.finish()
	if got := content(t, filepath.Join(dir, "main")); got != text || !strings.Contains(p.stderr.text(), "this system has no tee") {
		t.Errorf("%d bytes of %d; %s", len(got), len(text), p.stderr.text())
	}
}

const noTeeVar = "LOGPOOL_TEST_NO_TEE"

// forbidTee makes tee unknown to this process, as an old sandbox would.
func forbidTee() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},                           // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_TEE, Jt: 0, Jf: 1}, // tee?
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if e != 0 {
		return e
	}
	return nil
}
