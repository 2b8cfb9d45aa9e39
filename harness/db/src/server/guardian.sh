# Started as: sh -c <this> switchback-guardian FOLDER SIGNAL KEEP COMMAND...
# Runs a server until standard input, a pipe that the owner holds, is closed. However the owner
# ends, the system closes its end of the pipe, so the server stops and its folder goes away.
folder=$1 signal=$2 keep=$3
shift 3
# Only the owner's end counts, not a signal meant for it. The server sets handlers of its own.
trap '' HUP INT TERM
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
{
  cat <&3 >/dev/null
  # The number of a server that has ended may belong to another process by now.
  if ! [ -e "$folder/stopped" ]; then
    kill -"$signal" "$server" 2>/dev/null
    # One that is frozen would not hear it.
    kill -CONT "$server" 2>/dev/null
  fi
} &
watch=$!
wait "$server"
# Tells the owner, if it still waits for the server to come up, that it never will.
: >"$folder/stopped"
wait "$watch"
[ "$keep" = keep ] || rm -rf "$folder"
