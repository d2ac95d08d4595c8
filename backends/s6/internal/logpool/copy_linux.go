package logpool

import (
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

// copies copies until the sink is to leave, and answers true then; or until the
// FIFO cannot be read, which opening it again may cure.
func (k *sink) copies() bool {
	for {
		k.commands()
		switch {
		case k.leaving == wire.Remove:
			if !k.blocked {
				k.settle(k.log.Close())
			}
			return true
		case k.blocked:
			if wait := time.Until(k.retryAt); wait > 0 {
				k.sleep(wait)
			} else {
				k.settle(k.log.Flush())
			}
		case k.leaving == wire.Drain:
			if k.more() {
				continue
			}
			if k.settle(k.log.Close()); !k.blocked {
				return true
			}
		case k.paused:
			k.sleep(-1)
		default:
			if !k.next() {
				return false
			}
		}
	}
}

// next waits for something in the FIFO and copies it. It answers false if the
// FIFO cannot be read.
func (k *sink) next() bool {
	k.got, k.err = 0, nil
	ok, err := k.in.wait(k.peekFn)
	if err == nil {
		err = k.err
	}
	if err != nil {
		k.fail(err)
		return false
	}
	if ok && k.got > 0 {
		k.copy()
	}
	return true
}

// more copies what is in the FIFO now. It answers false if there is nothing, or
// if enough was read.
func (k *sink) more() bool {
	if k.budget <= 0 {
		return false
	}
	k.got, k.err = 0, nil
	k.in.use(func(fd uintptr) { k.peek(fd) })
	if k.err != nil {
		k.fail(k.err)
	}
	if k.got == 0 {
		return false
	}
	k.budget -= k.copy()
	return true
}

// peek looks into the FIFO. It answers false if that is empty.
func (k *sink) peek(fd uintptr) bool {
	k.got, k.err = k.scratch.peek(int(fd), &k.memory)
	if k.err != nil && !k.scratch.direct.Load() && noTee(k.err) {
		k.scratch.direct.Store(true)
		k.warn("", "this system has no tee ("+k.err.Error()+"): lines are lost if this process is killed")
		k.got, k.err = k.scratch.peek(int(fd), &k.memory)
	}
	return k.got > 0 || k.err != nil
}

// copy writes what was seen in the FIFO, and returns how much that was.
func (k *sink) copy() int {
	n := k.got
	if !k.scratch.direct.Load() {
		n = batchEnd(k.memory.bytes[:n])
	}
	k.given = n
	err := k.log.Write(k.memory.bytes[:n])
	k.settle(err)
	if k.blocked {
		k.memory.giveBack() // the log has a copy
	}
	return n
}
