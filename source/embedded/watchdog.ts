/**
The shell script that runs a server for its owners and ends it after the last of them.

Arguments: the server's directory, its executable, and its entry in the registry (empty: none). Descriptor 3 is the reading end of the FIFO `owners` in that directory. Every owner holds a writing end, so its end of file is the kernel's word that the last owner has ended, however it did.

The script leaves two processes behind. The first reads the FIFO: a line is the name of an owner who has joined, and a file of that name is the answer. The second is the server's parent; it ends the server, and removes the files, as soon as the first one writes to it or is gone. The first one writes until its pipe is broken, since a process that was killed a moment ago still takes what is written. Where the second one ended and left the directory, the first one does its work. Both hold the FIFO's reading end, the server does not: it can be opened for writing as long as one of them is there.

A server that cannot save (a full disk, a removed directory) refuses to shut down, hence the SIGKILL after 30 s.
*/
export const watchdog = `
directory=$0 binary=$1 entry=$2
PATH=$PATH:/usr/bin:/bin
umask 077

finish() {
	pid=$(cat "$directory/pid") || pid=$server
	kill "$pid"
	polls=1500
	while kill -0 "$pid" && [ "$polls" -gt 0 ]; do
		sleep 0.02
		polls=$((polls - 1))
	done
	[ "$polls" -gt 0 ] || kill -KILL "$pid"
	if [ "$entry" ]; then
		rm -f "$entry"
		rmdir "\${entry%/*}"
	fi
	rm -rf "$directory"
}

{
	exec 2>/dev/null
	while read -r owner; do
		[ -z "$owner" ] || true >"$directory/$owner"
	done <&3
	trap '' PIPE
	while echo; do
		sleep 0.02
	done
	[ ! -d "$directory" ] || finish
} | {
	"$binary" "$directory/redis.conf" </dev/null 2>&1 3<&- &
	server=$!
	exec >/dev/null 2>&1
	read -r _
	finish
} &
`;
