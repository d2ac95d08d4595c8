package supervise

// row is what one event means in each state.
type row [numPhases]move

// table decides every cell. A cell nobody listed fails a test.
var table = [numEvents]row{
	//             DOWN           BACKOFF        UP                FINISH            LASTUP            LASTFINISH        GONE
	cmdALRM:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdABRT:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdQUIT:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdHUP:          {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdKILL:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdTERM:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdINT:          {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdUSR1:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdUSR2:         {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdWINCH:        {ignore, ignore, pass, ignore, pass, ignore, ignore},
	cmdPause:        {ignore, ignore, pause, ignore, pause, ignore, ignore},
	cmdResume:       {ignore, ignore, resume, ignore, resume, ignore, ignore},
	cmdPauseGroup:   {ignore, ignore, pauseGroup, ignore, pauseGroup, ignore, ignore},
	cmdResumeGroup:  {ignore, ignore, resumeGroup, ignore, resumeGroup, ignore, ignore},
	cmdKillGroup:    {ignore, ignore, killGroup, ignore, killGroup, ignore, ignore},
	cmdDownSignal:   {ignore, ignore, passDownSignal, ignore, passDownSignal, ignore, ignore},
	cmdReloadSignal: {ignore, ignore, passReloadSignal, ignore, passReloadSignal, ignore, ignore},
	cmdOnce:         {once, once, wantDown, wantDown, wantDown, wantDown, ignore},
	cmdDown:         {wantDown, wantDown, stop, cancelPolicy, stop, cancelPolicy, ignore},
	cmdUp:           {wantUpNow, wantUpNow, wantUp, wantUp, wantUp, wantUp, ignore},
	cmdDownFile:     {wantDownFile, wantDownFile, stopFile, cancelPolicyFile, stopFile, cancelPolicyFile, ignore},
	cmdUpFile:       {wantUpFileNow, wantUpFileNow, wantUpFile, wantUpFile, wantUpFile, wantUpFile, ignore},
	cmdExit:         {exit, exit, exitAfter, exitAfter, closeStdio, closeStdio, ignore},
	cmdAtMostOnce:   {wantDown, wantDown, wantDown, wantDown, wantDown, wantDown, ignore},
	cmdStayDownFile: {wantDownFile, wantDownFile, wantDownFile, wantDownFile, wantDownFile, wantDownFile, ignore},

	supTERM: {exit, exit, stopAndExit, exitAfter, stop, ignore, ignore},
	supHUP:  {exit, exit, exitAfter, exitAfter, closeStdio, closeStdio, ignore},
	supQUIT: {exit, exit, exit, exit, exit, exit, ignore},
	supINT:  {exit, exit, interrupt, interrupt, interrupt, interrupt, ignore},

	runDied:    {impossible, impossible, buryRun, impossible, buryRun, impossible, ignore},
	finishDied: {impossible, impossible, impossible, buryFinish, impossible, buryFinish, ignore},
	readyLine:  {impossible, impossible, becomeReady, impossible, becomeReady, impossible, ignore},
	readyEOF:   {impossible, impossible, ignore, impossible, ignore, impossible, ignore},

	restartDue: {tryRun, impossible, impossible, impossible, impossible, impossible, ignore},
	backoffDue: {impossible, tryRun, impossible, impossible, impossible, impossible, ignore},
	retryDue:   {tryRun, impossible, impossible, impossible, impossible, impossible, ignore},
	killDue:    {impossible, impossible, escalate, impossible, escalate, impossible, ignore},
	finishDue:  {impossible, impossible, impossible, endFinish, impossible, endFinish, ignore},

	runStarted:    {goUp, goUp, impossible, impossible, impossible, impossible, ignore},
	startFailed:   {retryLater, retryLater, impossible, impossible, impossible, impossible, ignore},
	runAdopted:    {adoptRun, adoptRun, impossible, impossible, impossible, impossible, ignore},
	finishAdopted: {adoptFinish, adoptFinish, impossible, impossible, impossible, impossible, ignore},
	finishStarted: {impossible, impossible, goFinish, impossible, goFinish, impossible, ignore},
	finishMissing: {impossible, impossible, goDown, impossible, goDown, impossible, ignore},
}
