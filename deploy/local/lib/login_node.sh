# Sourced by hpc: the login node of a private cluster: temporary accounts, the commands on their PATH, and sshd.
# shellcheck shell=bash

# create_account NAME SCRATCH [PASSWORD]: a Unix account with its home in the part's folder
create_account() {
  local name=$1 scratch=$2 password=${3:-} hash='*'
  [[ -z $password ]] || hash=$(openssl passwd -6 -stdin <<<"$password")
  echo "$name" >>"$PART_DIR/run/accounts"
  flock /run/lock/cybergis-compute-accounts useradd --no-create-home --home-dir "$PART_DIR/home/$name" \
    --shell /bin/bash --password "$hash" "$name"
  install -d -m 711 "$PART_DIR/home"
  install -d -m 700 -o "$name" -g "$name" "$PART_DIR/home/$name"
  install -d -m 755 -o "$name" -g "$name" "$scratch"
  echo ". $PART_DIR/etc/session.sh" | tee "$PART_DIR/home/$name/.bash_profile" >"$PART_DIR/home/$name/.bashrc"
}

remove_accounts() {
  local name uid
  [[ -e $PART_DIR/run/accounts ]] || return 0
  while read -r name; do
    uid=$(id -u "$name" 2>/dev/null) || continue
    find /tmp /var/tmp /dev/shm -mindepth 1 -maxdepth 1 -uid "$uid" -exec rm -rf {} + 2>/dev/null || true
    flock /run/lock/cybergis-compute-accounts userdel --force "$name" 2>/dev/null || say "could not remove the account $name"
  done <"$PART_DIR/run/accounts"
  rm -f "$PART_DIR/run/accounts"
}

# write_commands: the scheduler's commands for the accounts; each call is recorded, and a fault can replace it
write_commands() {
  local name
  install -d "$PART_DIR/bin" "$PART_DIR/faults" "$PART_DIR/etc"
  : >"$PART_DIR/log/commands.log"
  chmod 666 "$PART_DIR/log/commands.log"
  for name in sbatch squeue sacct scancel scontrol; do
    cat >"$PART_DIR/bin/$name" <<X
#!/bin/dash
# Records the call on one line, then runs the executable $PART_DIR/faults/$name if there is one, else the real command.
line=\$*
case \$line in
  *"
"*) line=\$(printf '%s' "\$line" | tr '\n' ' ') ;;
esac
printf '%s %s %s\n' "\$(date +%s%3N)" $name "\$line" >>"$PART_DIR/log/commands.log"
if [ -x "$PART_DIR/faults/$name" ]; then
  REAL_BIN=/usr/bin/$name exec "$PART_DIR/faults/$name" "\$@"
fi
exec /usr/bin/$name "\$@"
X
    chmod 755 "$PART_DIR/bin/$name"
  done
  cat >"$PART_DIR/etc/session.sh" <<X
# Read by each shell of the accounts, login or not (BASH_ENV), and by batch jobs.
export SLURM_CONF=$PART_DIR/slurm/etc/slurm.conf BASH_ENV=$PART_DIR/etc/session.sh
case :\$PATH: in *:$PART_DIR/bin:*) ;; *) export PATH=$PART_DIR/bin:\$PATH ;; esac
module() { :; }  # real sites have environment modules
X
}

# start_sshd PORT KEY_ACCOUNT PASSWORD_ACCOUNT...: the first logs in with the part's key, the others with a password
start_sshd() {
  local port=$1 user=$2
  shift 2
  mkdir -p /run/sshd "$PART_DIR/etc/keys"
  ssh-keygen -q -t ed25519 -N '' -C "host of $PART_DIR" -f "$PART_DIR/etc/host_key" </dev/null
  ssh-keygen -q -t ed25519 -N '' -C "$user" -f "$PART_DIR/etc/user_key" </dev/null
  cp "$PART_DIR/etc/user_key.pub" "$PART_DIR/etc/keys/$user"
  echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$PART_DIR/etc/host_key.pub")" >"$PART_DIR/known_hosts"
  cat >"$PART_DIR/etc/sshd_config" <<X
Port $port
ListenAddress 127.0.0.1
HostKey $PART_DIR/etc/host_key
PidFile none
AllowUsers $user $*
AuthorizedKeysFile $PART_DIR/etc/keys/%u
StrictModes no
PermitRootLogin no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
LogLevel VERBOSE
MaxSessions 10
MaxStartups 10:30:100
PrintMotd no
AcceptEnv LANG LC_*
SetEnv SLURM_CONF=$PART_DIR/slurm/etc/slurm.conf BASH_ENV=$PART_DIR/etc/session.sh PATH=$PART_DIR/bin:/usr/local/bin:/usr/bin:/bin
Subsystem sftp /usr/lib/openssh/sftp-server
X
  (($# == 0)) || printf 'Match User %s\n  PasswordAuthentication yes\n' "$(IFS=,; echo "$*")" >>"$PART_DIR/etc/sshd_config"
  start_process sshd root /usr/sbin/sshd -D -e -f "$PART_DIR/etc/sshd_config"
}
