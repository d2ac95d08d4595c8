package supervise

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// script of random commands to a service that any signal kills, with what they
// have to lead to.
type improvisation struct {
	rand               *rand.Rand
	recent             bool
	want, alive, never bool
	paused             bool
	events             string
	wait               uint16
}

func (m *improvisation) dies(sig syscall.Signal) {
	m.events, m.wait = m.events+"dD", uint16(sig)
	m.alive, m.paused = false, false
	if m.want { // a second later
		m.alive, m.events = true, m.events+"u"
	}
}

// next returns a command.
func (m *improvisation) next() byte {
	choice := "uoudODUpckth12r"
	if m.recent {
		choice += "PCKl"
	}
	for {
		b := choice[m.rand.IntN(len(choice))]
		if m.paused && strings.IndexByte("th12rl", b) >= 0 {
			continue // the signal would wait for the continue
		}
		return b
	}
}

// play is what a command leads to.
func (m *improvisation) play(b byte) {
	m.never = m.never && strings.IndexByte("uodODU", b) < 0
	switch b {
	case 'u', 'U', 'o':
		m.want = b != 'o'
		if !m.alive {
			m.alive, m.paused, m.events = true, false, m.events+"u"
		}
	case 'd', 'D', 'O':
		m.want = false
		if m.alive && b != 'O' {
			m.dies(syscall.SIGTERM)
		}
	case 'p', 'P', 'c', 'C':
		m.paused = m.alive && (b == 'p' || b == 'P')
	default:
		if m.alive {
			m.dies(map[byte]syscall.Signal{
				'k': syscall.SIGKILL, 'K': syscall.SIGKILL, 't': syscall.SIGTERM, 'r': syscall.SIGTERM,
				'h': syscall.SIGHUP, 'l': syscall.SIGHUP, '1': syscall.SIGUSR1, '2': syscall.SIGUSR2,
			}[b])
		}
	}
}

func (m *improvisation) record() string {
	s := Status{WantUp: m.want, Ready: !m.alive, Paused: m.paused || m.never && m.recent}
	if m.alive {
		s.PID = 1
	}
	return flags(s)
}

// Random commands to both: after each the same events and the same record.
func TestRandomlyLikeTheRealOne(t *testing.T) {
	program, err := os.ReadFile(s6test.Tool(t, "s6-supervise"))
	if err != nil {
		t.Fatal(err)
	}
	recent := bytes.Contains(program, []byte("reload-signal"))
	first := seed(t)
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			d := drama{run: sleeper, files: map[string]string{"down": ""}}
			m := &improvisation{rand: rand.New(rand.NewPCG(first, uint64(i))), recent: recent, never: true, events: "s"}
			both := []subject{startOurs(t, d.stageDir(t)), startReal(t, d.stageDir(t))}
			played := ""
			check := func() {
				t.Helper()
				for j, s := range both {
					record := m.record()
					if j == 0 && m.never {
						record = "down ready paused" // as the real one since 2.13.2
					}
					reach(t, s, m.events, record)
					if rec, _ := s.record(); rec.Wait != m.wait {
						t.Fatalf("wait status %#x, want %#x", rec.Wait, m.wait)
					}
				}
			}
			defer func() {
				if t.Failed() {
					t.Logf("SUPERVISE_SEED=%d, commands %s", first, played)
				}
			}()
			check()
			for range 12 {
				b := m.next()
				played += string(b)
				m.play(b)
				for _, s := range both {
					s.send(t, string(b))
				}
				check()
			}
			m.play('d')
			m.events += "x"
			for _, s := range both {
				s.send(t, "dx")
				<-s.gone()
			}
			check()
		})
	}
}
