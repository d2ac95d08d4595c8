package launchd

const onDarwin = true
