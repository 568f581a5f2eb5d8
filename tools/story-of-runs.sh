# The chapters of the story in which data really goes out, to OpenSSH's server on this machine. Read by tools/story.

server='' runs_place='' job_before=''
stop_server() {
  [[ -z $server ]] || { kill "$server" && wait "$server" || true; } 2>/dev/null
  [[ -z $runs_place ]] || rm -rf "$runs_place"
}

# Starts it where pods reach it, on a port that nobody uses.
start_server() {
  local deadline port
  runs_place=$(mktemp -d)
  chmod 0755 "$runs_place"
  deadline=$((SECONDS + 120)) # it may have to be installed first
  for port in {2222..2322}; do
    (exec 3<>"/dev/tcp/$1/$port") 2>/dev/null || break
  done
  tools/sftp-server "$runs_place" "$1" "$port" >"$runs_place/said" 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/$1/$port") 2>/dev/null; do
    ((SECONDS < deadline)) && kill -0 "$server" 2>/dev/null ||
      fail "an SFTP server starts" "expected: it listens" "seen:     $(cat "$runs_place/said")"
    sleep 0.1
  done
  server_port=$port
  host_key=$(<"$runs_place/fingerprint")
}

# customers COUNT: that many who agreed, and a quarter more who didn't.
customers() {
  mkdir -p "$runs_place/customers"
  awk -v agreed="$1" 'BEGIN {
    print "customer_id,email,country,partner_consent"
    for (i = 1; i <= agreed * 5 / 4; i++)
      printf "%d,customer-%d@example.com,%s,%s\n", i, i, i % 2 ? "DE" : "FR", i % 5 ? "yes" : "no"
  }' >"$runs_place/customers/customers.csv"
}

# The claim is bound to a folder of this machine, as a cluster would bind it to storage of its own.
volume() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: {name: $NAMESPACE-customers, labels: {$MARK: "true"}}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: $runs_place/customers, type: Directory}
  claimRef: {namespace: $NAMESPACE, name: customers}
YAML
}

request() {
  run "kubectl -n $NAMESPACE annotate export consenting-customers --overwrite connections.dev/run-requested-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

# ended TEXT OUTCOME: waits until the newest run, another one than before, has ended so.
ended() {
  local deadline=$((SECONDS + 120)) seen=''
  until seen=$(field export/consenting-customers '{.status.lastRun.job} {.status.lastRun.outcome}') &&
    [[ ${seen% *} != "$job_before" && -n ${seen#* } ]]; do
    ((SECONDS < deadline)) || fail "$1" "expected: the run ends" "seen:     ${seen:-no run}; $(message export/consenting-customers Ready)"
    sleep 0.2
  done
  job_before=${seen% *}
  equal "$1" "$2" "${seen#* }"
}

# Waits until the server has an unfinished file.
being_written() {
  local deadline=$((SECONDS + 60))
  until [[ -n $(unfinished) ]]; do
    ((SECONDS < deadline)) || fail "a run is under way" "expected: a file that is being written" "seen:     $(ls -A "$runs_place/in")"
    sleep 0.05
  done
}

unfinished() { compgen -G "$runs_place/in/.connections-*" || true; }

sum() { sha256sum <"$runs_place/in/all-customers.csv"; }

data_goes_out() {
  local machine
  machine=$(machine_of_node)
  [[ -n $machine ]] || return 0 # told where pods reach a server on this machine
  chapter "Data goes out: 100,000 customers, to a real SFTP server"
  start_server "$machine"
  customers 100000
  volume
  run "kubectl apply -f examples/sftp/"
  say "The partner's server is OpenSSH's, on this machine. Its host key is pinned, so no other can take its place."
  run "kubectl -n $NAMESPACE patch connection partner-drop --type merge -p '{\"spec\":{\"parameters\":{\"hostname\":\"$machine\",\"port\":\"$server_port\",\"hostKey\":\"$host_key\"}}}'"
  expect "the connection was looked at anew" connection/partner-drop '{.status.observedGeneration}' 2
  consent_to partner-drop
  state export/consenting-customers Active
  request
  ended "the run" Succeeded
  run "kubectl -n $NAMESPACE get exports consenting-customers"
  run "ls -l $runs_place/in && head -n 3 $runs_place/in/all-customers.csv"
  equal "a line for each who agreed, and the head" 100001 "$(wc -l <"$runs_place/in/all-customers.csv")"
  run "kubectl -n $NAMESPACE get export consenting-customers -o jsonpath='{.status.lastRun.counts}{\"\\n\"}'"
}

a_run_is_killed() {
  [[ -n $server ]] || return 0
  local before pod killed
  chapter "A run is killed in the middle: the partner's file stays as it was, and Kubernetes tries again"
  before=$(sum)
  customers 6000000
  request
  being_written
  equal "the file under its final name is that of the run before" "$before" "$(sum)"
  pod=$(kubectl -n "$NAMESPACE" get pods -l connections.dev/run --field-selector status.phase=Running -o 'jsonpath={.items[0].metadata.uid}')
  for killed in /proc/[0-9]*; do
    if grep -qsF "$pod" "$killed/cgroup" && grep -qsF connection-connector "$killed/cmdline"; then
      run "kill -KILL ${killed#/proc/} # the connector, in its pod"
    fi
  done
  equal "killed, it has changed nothing" "$before" "$(sum)"
  ended "the run" Succeeded
  equal "it was tried twice" 2 "$(field export/consenting-customers '{.status.lastRun.attempt}')"
  equal "all rows are there, once" 6000001 "$(wc -l <"$runs_place/in/all-customers.csv")"
  equal "what the killed try had begun is gone" "" "$(unfinished)"
}

consent_is_withdrawn() {
  [[ -n $server ]] || return 0
  local before undone
  chapter "Consent is withdrawn during a run: it stops"
  before=$(sum)
  request
  being_written
  run "kubectl -n $NAMESPACE annotate connection partner-drop connections.dev/consent-"
  ended "the run" Stopped
  state export/consenting-customers Inactive
  equal "the partner's file is that of the run before" "$before" "$(sum)"
  undone=$((SECONDS + 30)) # it is told as stopped once it's told to stop
  while [[ -n $(unfinished) ]] && ((SECONDS < undone)); do sleep 0.1; done
  equal "it leaves nothing half-done" "" "$(unfinished)"
  run "kubectl -n $NAMESPACE get export consenting-customers -o jsonpath='{range .status.runs[*]}{.startedAt} {.trigger} {.outcome}, rows sent: {.counts.rowsSent}{\"\\n\"}{end}'"
}
