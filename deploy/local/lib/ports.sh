# Sourced by the scripts of deploy/local: unused TCP ports on 127.0.0.1.
# Each call takes the next ports of a range below the system's own dynamic ports, under a lock, and probes them;
# a port is not used again before the whole range was used, so parts that start at the same time never get the same port.
# shellcheck shell=bash

# free_ports COUNT: prints COUNT port numbers on one line
free_ports() {
  local count=$1 first=20000 last=31999 port found=()
  {
    flock 9
    read -r port <&9 || port=$first
    while ((${#found[@]} < count)); do
      ((port = port >= last || port < first ? first : port + 1))
      (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || found+=("$port")
    done
    echo "$port" >"/run/lock/cybergis-compute-ports"
  } 9<>"/run/lock/cybergis-compute-ports"
  echo "${found[*]}"
}
