#!/bin/bash
# munge, mariadb with slurmdbd, slurmctld, slurmd, sshd; ends with mariadb. The image's health check asks slurmctld.
set -euo pipefail
name=$(hostname -s) cpus=${SLURM_CPUS:-16} memory=${SLURM_MEMORY_MB:-16000}
say() { printf '[hpc %s %ss] %s\n' "$name" "$SECONDS" "$*"; }

# wait_for SECONDS COMMAND...
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { say "not ready: $*"; tail -n 20 /var/log/slurm/*.log; exit 1; }
    sleep 0.1
  done
}

rm -f /run/ready /run/munge/* /run/slurm/*.pid
[[ -s /etc/munge/munge.key ]] || head -c 1024 /dev/urandom >/etc/munge/munge.key
chown munge:munge /etc/munge/munge.key && chmod 400 /etc/munge/munge.key
install -d -o munge -g munge -m 755 /run/munge /var/log/munge /var/lib/munge
setpriv --reuid=munge --regid=munge --clear-groups munged --num-threads=2
wait_for 10 munge -n

install -d -o mysql -g mysql /run/mysqld
[[ -d /var/lib/mysql/mysql ]] || mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null
mariadbd --user=mysql --bind-address=127.0.0.1 --skip-name-resolve --skip-log-bin --innodb-buffer-pool-size=64M \
  --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 >/var/log/mariadb.log 2>&1 &
wait_for 60 mariadb-admin ping
mariadb -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db; CREATE USER IF NOT EXISTS slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
  GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1'"

install -d -o slurm -g slurm /var/lib/slurm/slurmctld /var/spool/slurmd /var/log/slurm /run/slurm
if ! grep -q ^ClusterName= /etc/slurm/slurm.conf; then
  cat >>/etc/slurm/slurm.conf <<CONF
ClusterName=$name
SlurmctldHost=$name
NodeName=$name CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$name Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 State=UP OverSubscribe=YES
CONF
fi
setpriv --reuid=slurm --regid=slurm --clear-groups slurmdbd
wait_for 60 sacctmgr -n show cluster
sacctmgr -i -Q add cluster "$name" >/dev/null 2>&1 || true
sacctmgr -i -Q add account default >/dev/null 2>&1 || true
sacctmgr -i -Q add user cybergis account=default >/dev/null 2>&1 || true
setpriv --reuid=slurm --regid=slurm --clear-groups slurmctld
wait_for 30 scontrol ping
slurmd
wait_for 60 sh -c 'sinfo -h -o %T | grep -qE "idle|mixed|allocated"'

# A job's container gets a /proc of its own only where the kernel sees no covered part of this one.
awk '$5 ~ /^\/proc\/./ {print $5}' /proc/self/mountinfo | while read -r covered; do umount "$covered" || true; done
[[ ! -c /dev/fuse ]] || chmod 666 /dev/fuse || true
mkdir -p /run/sshd
install -m 600 /run/secrets/hpc-host-key /etc/ssh/host_key
install -m 644 /run/secrets/hpc-user-key.pub /etc/ssh/authorized_keys
/usr/sbin/sshd
wait_for 10 test -s /run/sshd.pid
touch /run/ready
say "ready: $(slurmctld -V), $(apptainer --version)"
trap 'exit 0' TERM INT
wait -n
