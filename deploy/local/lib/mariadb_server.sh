# Sourced by hpc and mariadb: a MariaDB server for one part.
# shellcheck shell=bash

# start_mariadb DATA_DIR SOCKET_DIR PORT DATABASE USER PASSWORD
# The data folder is a copy of one made once and kept in the cache (creating it takes two seconds, copying it a fraction of that).
start_mariadb() {
  local data=$1 socket_dir=$2 port=$3 database=$4 user=$5 password=$6
  local template=$CYBERGIS_CACHE/mariadb-data
  local small=(--innodb-log-file-size=8M --innodb-data-file-path=ibdata1:4M:autoextend)
  mkdir -p "$CYBERGIS_CACHE"
  (
    flock 9
    [[ ! -d $template ]] || exit 0
    rm -rf "$template.new"
    mariadb-install-db --no-defaults --user=mysql --datadir="$template.new" --skip-test-db "${small[@]}" \
      --auth-root-authentication-method=socket >"$PART_DIR/log/mariadb-install.log" 2>&1 || exit 1
    mv "$template.new" "$template"
  ) 9>"$CYBERGIS_CACHE/mariadb-data.lock" || { show_log mariadb-install; fail "mariadb-install-db failed"; }
  rm -rf "$data"
  cp -a "$template" "$data"
  install -d -o mysql -g mysql -m 755 "$socket_dir/mariadb"
  (
    umask 077
    cat >"$PART_DIR/run/mariadb-init.sql" <<SQL
CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS $user@'127.0.0.1' IDENTIFIED BY '$password';
GRANT ALL ON \`$database%\`.* TO $user@'127.0.0.1';
SQL
    chown mysql "$PART_DIR/run/mariadb-init.sql"
  )
  start_process mariadb mysql mariadbd --no-defaults --datadir="$data" --socket="$socket_dir/mariadb/socket" \
    --port="$port" --bind-address=127.0.0.1 --skip-name-resolve --skip-log-bin --innodb-buffer-pool-size=64M \
    --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync "${small[@]}" \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci --init-file="$PART_DIR/run/mariadb-init.sql"
}

# mariadb_answers PORT DATABASE USER PASSWORD
mariadb_answers() { MYSQL_PWD=$4 mariadb --no-defaults -h 127.0.0.1 -P "$1" -u "$3" -e 'SELECT 1' "$2"; }
