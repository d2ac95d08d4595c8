package supervise

import (
	"context"
	"fmt"
	"strconv"
)

// tryStart starts run, unless something of the service is alive. The answer is
// what came of it.
func (e *engine) tryStart(ctx context.Context) event {
	if e.unsure != nil {
		found, err := e.Survivors.Find(ctx)
		if err != nil {
			return event{kind: startFailed, problem: unsureText(err), retry: true}
		}
		e.unsure = nil
		if found != nil {
			return e.adopt(found)
		}
		e.forgetDeaths()
	}
	if why := e.settings.postponed(); why != "" {
		return event{kind: startFailed, problem: why}
	}
	fd := e.settings.notifyFD()
	starting := Instance{Stage: StageStarting, Host: e.Host, WantUp: e.state.wantUp}
	if fd != 0 {
		starting.Ready = Unready
	}
	if err := e.writeInstance(starting); err != nil {
		return event{kind: startFailed, retry: true, problem: fmt.Sprintf("not started: the instance record could not be written: %v", err)}
	}
	run := e.Run
	if run == "" {
		run = "./run"
	}
	child, err := e.Processes.Start(StartSpec{Path: run, Args: []string{run, e.Name}, NotifyFD: fd})
	if err != nil {
		if err := e.writeInstance(Instance{Host: e.Host, WantUp: e.state.wantUp}); err != nil {
			e.warnf("the instance record could not be written: %v", err)
		}
		return event{kind: startFailed, retry: true, problem: fmt.Sprintf("run could not be started: %v", err)}
	}
	e.hold(child)
	return event{kind: runStarted, pid: child.PID(), announces: fd != 0}
}

// tryFinish starts finish. One that cannot be started counts as absent.
func (e *engine) tryFinish() event {
	run := e.state.pid
	missing := event{kind: finishMissing, pace: e.settings.pace()}
	if !e.settings.exists("finish") {
		return missing
	}
	starting := Instance{Stage: StageStarting, PID: run, Host: e.Host, WantUp: e.state.wantUp, Ending: e.state.asked}
	if err := e.writeInstance(starting); err != nil {
		e.warnf("the instance record could not be written before finish: %v", err)
	}
	last := e.state.last
	child, err := e.Processes.Start(StartSpec{
		Path: "./finish",
		Args: []string{"finish", strconv.Itoa(last.Code()), strconv.Itoa(last.Signal()), e.Name, strconv.Itoa(run)},
	})
	if err != nil {
		e.warnf("finish could not be started, counts as absent: %v", err)
		return missing
	}
	e.hold(child)
	return event{kind: finishStarted, pid: child.PID()}
}

// adopt takes a survivor to watch.
func (e *engine) adopt(found *Survivor) event {
	e.hold(found.Child)
	e.written = found.Instance
	if found.finishing() {
		return event{kind: finishAdopted, found: found}
	}
	return event{kind: runAdopted, found: found}
}

func unsureText(err error) string {
	return fmt.Sprintf("not started: it cannot be told whether an earlier instance is still alive: %v", err)
}
