# Sourced by hpc: the configuration files of a private Slurm cluster without systemd and cgroups.
# shellcheck shell=bash

# write_slurm_config NAME SOCKET_DIR CTLD_PORT DBD_PORT DB_PORT DB_PASSWORD CPUS SLURMD_PORT...: one node for each SLURMD_PORT
write_slurm_config() {
  local name=$1 sockets=$2 ctld=$3 dbd=$4 db=$5 password=$6 cpus=$7 host listen='' node=0 nodes=() port all
  shift 7
  host=$(hostname -s)
  # Slurm can listen only on the address of the machine's name. If that is not 127.0.0.1, it listens on all addresses.
  [[ $(getent ahostsv4 "$(hostname)") != "127.0.0.1 "* ]] || listen=CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
  install -d -o slurm -g slurm "$PART_DIR/slurm" "$PART_DIR/slurm/state"
  install -d "$PART_DIR/slurm/etc" "$sockets/slurmd"
  echo "CgroupAutomount=no" >"$PART_DIR/slurm/etc/cgroup.conf"
  cat >"$PART_DIR/slurm/etc/slurm.conf" <<X
ClusterName=$name
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctld
SlurmUser=slurm
AuthType=auth/munge
AuthInfo=socket=$sockets/munge/socket
$listen
StateSaveLocation=$PART_DIR/slurm/state
SlurmdSpoolDir=$sockets/slurmd/%n
SlurmctldPidFile=$PART_DIR/slurm/slurmctld.pid
SlurmdPidFile=$PART_DIR/slurm/slurmd-%n.pid
# no systemd, no cgroups
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=3
JobAcctGatherParams=OverMemoryKill
MpiDefault=pmi2
# more CPUs and memory than the machine has, so that many small jobs run at once
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
EnforcePartLimits=ALL
ReturnToService=2
# jobs start and end without waiting
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1,default_queue_depth=1000
CompleteWait=0
KillWait=2
MinJobAge=300
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$dbd
AccountingStoragePass=$sockets/munge/socket
X
  for port; do
    nodes+=("$name-n$((++node))")
    echo "NodeName=$name-n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=$cpus Boards=1" \
      "SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$((cpus * 16000)) State=UNKNOWN"
  done >>"$PART_DIR/slurm/etc/slurm.conf"
  all=${nodes[*]}
  echo "PartitionName=main Nodes=${all// /,} Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 State=UP" \
    >>"$PART_DIR/slurm/etc/slurm.conf"
  (umask 077 && cat >"$PART_DIR/slurm/etc/slurmdbd.conf") <<X
AuthType=auth/munge
AuthInfo=socket=$sockets/munge/socket
DbdHost=localhost
DbdAddr=127.0.0.1
$listen
DbdPort=$dbd
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$db
StorageUser=slurm
StoragePass=$password
StorageLoc=slurm_acct_db
PidFile=$PART_DIR/slurm/slurmdbd.pid
X
  chown slurm:slurm "$PART_DIR/slurm/etc/slurmdbd.conf"
}
