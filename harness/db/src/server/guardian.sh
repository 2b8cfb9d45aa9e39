# Started as: sh -c <this> switchback-guardian FOLDER SIGNAL END COMMAND...
# Runs a server until standard input, a pipe that the owner holds, is closed. However the owner
# ends, the system closes its end of the pipe, so the server stops and its folder goes away.
# END is "remove"; or "keep", and the folder stays; or for a server whose owners come and go through
# a named pipe, the seconds for which it waits for the next one.
folder=$1 signal=$2 end=$3
shift 3
# Only the owner's end counts, not a signal meant for it. The server sets handlers of its own.
trap '' HUP INT TERM
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
{
  cat <&3 >/dev/null
  if [ -p "$folder/lease" ]; then
    # Those who have come meanwhile have said so, and are heard out.
    while ! [ -e "$folder/stopped" ] && sleep "$end" 3<&- && [ -n "$(cat <&3)" ]; do :; done
    # Nobody can come from here on; who came just now is waited for.
    mv "$folder/lease" "$folder/over"
    cat <&3 >/dev/null
  fi
  turn=0
  # The number of a server that has ended may belong to another process by now.
  # A folder that is gone was removed by the next run, which has stopped the server, too.
  while [ -d "$folder" ] && ! [ -e "$folder/stopped" ] && kill -0 "$server" 2>/dev/null; do
    # One that is only just starting does not listen yet, and one that is frozen would not hear.
    [ $((turn % 50)) != 0 ] || kill -"$signal" "$server" 2>/dev/null
    [ "$turn" -lt 500 ] || kill -KILL "$server" 2>/dev/null
    kill -CONT "$server" 2>/dev/null
    turn=$((turn + 1))
    sleep 0.02 2>/dev/null || sleep 1
  done
} &
watch=$!
wait "$server"
# Tells the owner, if it still waits for the server to come up, that it never will.
[ ! -d "$folder" ] || : >"$folder/stopped"
wait "$watch"
[ "$end" = keep ] || rm -rf "$folder"
