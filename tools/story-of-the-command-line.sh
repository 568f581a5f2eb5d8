# The chapters of the story in which an administrator and a contributor do without YAML, by kubectl connections. Read by tools/story.

# plugin ARGUMENTS: in the story's namespace.
plugin() { run "kubectl connections $1 -n $NAMESPACE"; }

# Nobody is asked here, so the program shows what is to be agreed to, and says how whoever has read it agrees.
agreed() {
  local digest
  refused "kubectl connections $1 -n $NAMESPACE"
  digest=$(grep -oE -- '--agree-to [0-9a-f]{64}' <<<"$refusal" || true)
  [[ -n $digest ]] || fail "it says how to agree" "expected: --agree-to and a digest" "seen:     $refusal"
  plugin "$1 $digest"
}

at_the_command_line() {
  [[ -n $server ]] || return 0
  local machine programs
  machine=$(machine_of_node)
  chapter "The same day at the command line, without YAML: kubectl connections"
  cargo build -q --locked -p connection-operator --bin kubectl-connections
  programs=$(realpath "${CARGO_TARGET_DIR:-target}/debug")
  export PATH=$programs:$PATH # where kubectl finds it
  run "kubectl connections discover sftp --exports"
  say "The company's vault is linked, and what may be named of it is listed."
  run "kubectl -n $NAMESPACE create secret generic crm-vault --from-literal=secretId=not-a-real-secret-id"
  agreed "vault link crm-vault --address https://$machine:8200 --mount secret --app-role example-role-id --secret-id crm-vault/secretId --ca-bundle team-vault-ca/ca.crt --allow 'crm/*'"
  reason keyvault/crm-vault Ready
  plugin "vault list crm-vault"
  say "A connection is made, agreed to and shared at once."
  agreed "add sftp-export french-drop --display-name 'French customers' --set hostname=$machine --set port=$server_port --set hostKey=$host_key --set folder=/in --secret username=partner-drop/username --secret password=partner-drop/password --share"
  reason connection/french-drop Ready
  may carol french-drop yes
  say "Carol sees what is shared with her, sends data over it, and sees what became of that."
  plugin "list --as carol"
  plugin "export create french-customers --as carol --connection french-drop --display-name 'Customers in France' --dataset all-customers=email,country --where \"all-customers=country = 'FR'\" --set subfolder=france --yes"
  state export/french-customers Active
  customers 100000
  plugin "run french-customers --as carol --wait"
  equal "a line for each in France, and the head" 62501 "$(wc -l <"$runs_place/in/france/all-customers.csv")"
  plugin "runs --as carol"
  say "The administrator looks at the connection, gives it another name, and lets it go."
  plugin "describe french-drop"
  plugin "edit french-drop --display-name 'French customers, until 2027' --yes"
  expect "it is called so" connection/french-drop '{.spec.displayName}' "French customers, until 2027"
  refused "kubectl connections remove french-drop --yes -n $NAMESPACE"
  plugin "remove french-drop --detach-all --yes"
  gone connection/french-drop
  reason export/french-customers Detached
  say "Who agreed to what is gone, too, stays on record:"
  plugin "audit --connection french-drop"
}

data_comes_back() {
  [[ -n $server ]] || return 0
  local before machine scored=$runs_place/customers/scored
  machine=$(machine_of_node)
  chapter "Data comes back: what a provider knows of the customers, joined to them"
  install -d -m 0777 "$scored" # storage of a cluster's own is given to the group of runs
  awk 'BEGIN { print "email,score"; for (i = 1; i <= 40000; i++) printf "customer-%d@example.com,%d\n", i, i % 100 }' \
    >"$runs_place/in/scores.csv"
  agreed "add sftp-import scores --display-name 'Scores of a provider' --set hostname=$machine --set port=$server_port --set hostKey=$host_key --set folder=/in --secret username=partner-drop/username --secret password=partner-drop/password"
  reason connection/scores Ready
  may carol scores yes
  plugin "enrich create customer-scores --as carol --connection scores --display-name 'Scores of customers' --input all-customers --map email=email --into scored-customers --set fileName=scores.csv --yes"
  state enrichment/customer-scores Active
  before=$(sha256sum <"$runs_place/customers/customers.csv")
  plugin "run enrichment/customer-scores --as carol --wait"
  run "ls -l $scored && head -n 3 $scored/customers.csv"
  equal "a line for each whom the provider knows, and the head" 40001 "$(wc -l <"$scored/customers.csv")"
  equal "the customers' own file is as it was" "$before" "$(sha256sum <"$runs_place/customers/customers.csv")"
}
