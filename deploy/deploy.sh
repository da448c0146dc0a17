#!/usr/bin/env bash
# Brings the worker into a Google Cloud project, or up to date there. Run it as often as you like.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/lib.sh"

usage() {
  cat <<'USAGE'
deploy/deploy.sh --project ID --bucket NAME [flags]

  flag                        env                      default
  --project ID                GOOGLE_CLOUD_PROJECT     required
  --bucket NAME               CHARTS_BUCKET            required; made where there is none
  --accounts FILE             CHART_IMG_ACCOUNTS_FILE  the secret's own; required the first time
  --region REGION             REGION                   the database's, where that is one region
  --database ID               FIRESTORE_DB             (default)
  --secret NAME               CHART_IMG_SECRET         chart-img-accounts
  --notification-channels A,B NOTIFICATION_CHANNELS    those that the alerts have
  --public-read               PUBLIC_READ=true         false; --no-public-read closes the bucket
  --pack                                               the released version, from npm;
                                                       with it, the package of this clone
  --force                                              apply again what carries today's mark
  --dry-run                                            look, and print what would be changed
                              TDA_ENV                  prod
                              MEMORY                   512Mi
                              MAX_INSTANCES            10
                              SWEEP_SCHEDULE           */5 * * * *
USAGE
}

project=${GOOGLE_CLOUD_PROJECT-}
bucket=${CHARTS_BUCKET-}
accounts=${CHART_IMG_ACCOUNTS_FILE-}
region=${REGION-}
database=${FIRESTORE_DB:-(default)}
secret=${CHART_IMG_SECRET:-chart-img-accounts}
channels=${NOTIFICATION_CHANNELS-}
public_read=${PUBLIC_READ-}
environment=${TDA_ENV:-prod}
memory=${MEMORY:-512Mi}
max_instances=${MAX_INSTANCES:-10}
schedule=${SWEEP_SCHEDULE:-*/5 * * * *}
dry_run=false
force=false
pack=false

while (($#)); do
  # --flag=value is --flag value.
  case $1 in --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
  case $1 in
    --public-read) public_read=true ;;
    --no-public-read) public_read=false ;;
    --pack) pack=true ;;
    --force) force=true ;;
    --dry-run) dry_run=true ;;
    -h | --help)
      usage
      exit
      ;;
    --project | --bucket | --accounts | --region | --database | --secret | --notification-channels)
      [[ -n ${2-} ]] || die "$1 needs a value"
      case $1 in
        --project) project=$2 ;;
        --bucket) bucket=$2 ;;
        --accounts) accounts=$2 ;;
        --region) region=$2 ;;
        --database) database=$2 ;;
        --secret) secret=$2 ;;
        --notification-channels) channels=$2 ;;
      esac
      shift
      ;;
    *) die "unknown: $1 (see --help)" ;;
  esac
  shift
done

# What is wrong is said before anything is changed.
[[ -n $project ]] || die 'name the project: --project or GOOGLE_CLOUD_PROJECT'
[[ -n $bucket ]] || die 'name the bucket: --bucket or CHARTS_BUCKET'
bucket=${bucket#gs://}
[[ $bucket =~ ^[a-z0-9][a-z0-9._-]*$ ]] || die "not a bucket's name: $bucket"
[[ $public_read =~ ^(true|false)?$ ]] || die "PUBLIC_READ is true or false, not $public_read"
[[ $database$secret$environment != *[,[:space:]]* ]] || die 'no name has a comma or a space in it'
[[ -z $accounts || -r $accounts ]] || die "cannot read the accounts file $accounts"
command -v gcloud >/dev/null || die 'gcloud is missing: https://cloud.google.com/sdk/docs/install'
command -v git >/dev/null || die 'git is missing'

place=$(ask firestore databases describe --database="$database" \
  --format='value[separator=" "](locationId,type)') ||
  die "cannot look up the Firestore database $database of $project: see above"
read -r location kind <<<"$place"
# A trigger in another place than its database would never fire.
[[ $kind == FIRESTORE_NATIVE ]] || die "the database $database is not a native Firestore database"
if [[ -z $region ]]; then
  [[ $location == *-* ]] || die "the database lies in all of $location: name a region near it with --region"
  region=$location
fi
newest_version() {
  ask secrets versions list "$secret" --filter=state=ENABLED --sort-by=~createTime --limit=1 \
    --format='value(name.basename())' 2>/dev/null || true
}
version=$(newest_version)
[[ -n $accounts$version ]] ||
  die "the secret $secret holds nothing yet: name the accounts file with --accounts"

access=$(ask storage buckets describe "gs://$bucket" \
  --format='value[separator=" "](uniform_bucket_level_access,public_access_prevention)' \
  2>/dev/null) || access=absent
# A bucket that people read already is neither closed nor opened behind their backs.
case $access in
  absent | 'True enforced') ;;
  True*)
    readers=$(ask storage buckets get-iam-policy "gs://$bucket" --flatten='bindings[].members' \
      --format='value(bindings.members)')
    if [[ -z $public_read && $readers == *allUsers* ]]; then
      die "gs://$bucket is public: keep it so with --public-read, close it with --no-public-read"
    fi
    ;;
  *) die "gs://$bucket has access lists of its own: switch it to uniform access first (gcloud storage buckets update gs://$bucket --uniform-bucket-level-access)" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ $pack == true ]]; then
  "$here/stage.sh" --pack "$work/source"
else
  "$here/stage.sh" "$work/source"
fi

enable_services() {
  local service enabled missing=()
  enabled=$(ask services list --enabled --format='value(config.name)')
  for service in artifactregistry cloudbuild cloudfunctions cloudscheduler eventarc firestore iam \
    logging monitoring pubsub run secretmanager storage; do
    has_line "$enabled" "$service.googleapis.com" || missing+=("$service.googleapis.com")
  done
  [[ ${#missing[@]} == 0 ]] || change services enable "${missing[@]}"
}

# make_identities ID WHAT ID WHAT …: service accounts.
make_identities() {
  local there
  there=$(ask iam service-accounts list --format='value(email)' 2>/dev/null) || there=
  while (($#)); do
    has_line "$there" "$(address_of "$1")" ||
      change iam service-accounts create "$1" --display-name="worker-chart-export: $2"
    shift 2
  done
}

address_of() {
  printf '%s@%s.iam.gserviceaccount.com' "$1" "$project"
}

make_bucket() {
  case ${public_read:-false},$access in
    true,absent)
      change storage buckets create "gs://$bucket" --location="$region" \
        --uniform-bucket-level-access --no-public-access-prevention
      ;;
    false,absent)
      change storage buckets create "gs://$bucket" --location="$region" \
        --uniform-bucket-level-access --public-access-prevention
      ;;
    true,'True enforced')
      change storage buckets update "gs://$bucket" --no-public-access-prevention
      ;;
    false,'True enforced') ;;
    false,*) change storage buckets update "gs://$bucket" --public-access-prevention ;;
  esac
  # Whoever knows an object's name reads it; nobody lists the bucket.
  [[ $public_read != true ]] ||
    grant allUsers roles/storage.legacyObjectReader 'storage buckets' "gs://$bucket"
}

# Leaves the version for the functions in $version: a number and never `latest`, so that a revision
# keeps the accounts it was made with and new accounts make a new revision.
keep_secret() {
  local held
  exists secrets describe "$secret" ||
    change secrets create "$secret" --replication-policy=automatic
  [[ -n $accounts ]] || return 0
  if [[ -n $version ]]; then
    held=$(ask secrets versions access "$version" --secret="$secret") ||
      die "cannot compare version $version of the secret $secret with $accounts: see above"
    [[ $held != "$(<"$accounts")" ]] || return 0
  fi
  change secrets versions add "$secret" --data-file="$accounts"
  version=$(newest_version)
}

# deploy_function NAME TARGET FLAGS…
deploy_function() {
  local name=$1 flags mark live
  flags=(
    --gen2 --region="$region" --runtime=nodejs22 --entry-point="$2"
    --service-account="$(address_of "$run_as")" --no-allow-unauthenticated
    # One step at a time has the memory and the account's pace to itself.
    --concurrency=1 --cpu=1 --memory="$memory" --timeout=540s
    --set-env-vars="CHARTS_BUCKET=$bucket,FIRESTORE_DB=$database,TDA_ENV=$environment"
    --set-secrets="CHART_IMG_ACCOUNTS_JSON=$secret:${version:-1}"
    # Also after a rollback, which pins the traffic to a revision.
    --serve-all-traffic-latest-revision
    "${@:3}"
  )
  mark=$(printf '%s\n' "${flags[@]}" | cat - "$work"/source/* | mark_of)
  live=$(ask functions describe "$name" --region="$region" \
    --format='value[separator=" "](labels.deployed_as,state)' 2>/dev/null) || live=
  # A deployment that failed has left its mark, too.
  settled "$mark ACTIVE" "$live" || change functions deploy "$name" "${flags[@]}" \
    --source="$work/source" --update-labels="deployed_as=$mark"
}

schedule_sweep() {
  local uri flags what verb live
  uri=$(ask functions describe "$sweep" --region="$region" --format='value(serviceConfig.uri)' \
    2>/dev/null) || [[ $dry_run == true ]] || die "the function $sweep is not there"
  flags=(
    --location="$region" --schedule="$schedule" --time-zone=Etc/UTC --http-method=post
    --uri="${uri:=https://address-of-the-sweep}"
    --oidc-service-account-email="$(address_of "$sweep_as")" --oidc-token-audience="$uri"
    # Longer than the function may take: two sweeps never run side by side.
    --attempt-deadline=600s
  )
  what="Does the steps whose event was lost ($(printf '%s\n' "${flags[@]}" | mark_of))"
  verb=update
  live=$(ask scheduler jobs describe "$sweep" --location="$region" --format='value(description)' \
    2>/dev/null) || verb=create
  settled "$what" "$live" ||
    change scheduler jobs "$verb" http "$sweep" "${flags[@]}" --description="$what"
}

apply_metrics() {
  local file name mark metrics live
  metrics=$(ask logging metrics list --format='value[separator="|"](name,description)') ||
    die 'cannot list the metrics: see above'
  for file in "$here"/metrics/*.json; do
    name=${file##*/}
    name=${name%.json}
    mark=$(mark_of <"$file")
    live=$(grep "^$name|" <<<"$metrics") || live=
    # Its own words, then the mark in brackets.
    settled "$mark)" "${live##*(}" && continue
    sed "s/@mark@/$mark/" "$file" >"$work/metric.json"
    if [[ -n $live ]]; then
      change logging metrics update "$name" --config-from-file="$work/metric.json"
    else
      change logging metrics create "$name" --config-from-file="$work/metric.json"
    fi
  done
}

apply_alerts() {
  local file title mark policies line id live_mark live_channels
  # Titles need not be unique: were a list that failed taken for an empty one, each run would add
  # the same alerts once more.
  policies=$(ask alpha monitoring policies list --format='value[separator="|"](displayName, name,
    userLabels.deployed_as, notificationChannels.list())') || [[ $dry_run == true ]] ||
    die 'cannot list the alert policies: see above'
  for file in "$here"/alerts/*.json; do
    title=$(sed -n 's/^  "displayName": "\(.*\)",$/\1/p' "$file")
    line=$(awk -F'|' -v title="$title" '$1 == title { print; exit }' <<<"$policies")
    IFS='|' read -r _ id live_mark live_channels <<<"$line"
    # An update replaces all of a policy: the channels that somebody gave it by hand, too.
    live_channels=${channels:-$live_channels}
    mark=$( (cat "$file" && printf '%s' "$channels") | mark_of)
    settled "$mark" "$live_mark" && continue
    sed "s/@mark@/$mark/" "$file" >"$work/alert.json"
    if [[ -n $id ]]; then
      change alpha monitoring policies update "$id" --policy-from-file="$work/alert.json" \
        ${live_channels:+--set-notification-channels="$live_channels"}
    else
      tries=6 change alpha monitoring policies create --policy-from-file="$work/alert.json" \
        ${channels:+--notification-channels="$channels"}
    fi
  done
}

function=worker-chart-export
sweep=worker-chart-export-sweep
run_as=chart-export-run
trigger_as=chart-export-trigger
sweep_as=chart-export-sweep

enable_services

make_identities "$run_as" 'the functions themselves' "$trigger_as" 'brings events to the function' \
  "$sweep_as" 'calls the sweep'

make_bucket
keep_secret
grant "serviceAccount:$(address_of "$run_as")" roles/datastore.user projects "$project"
# Objects and nothing about the bucket: objectAdmin could also hand out access to them.
grant "serviceAccount:$(address_of "$run_as")" roles/storage.objectUser 'storage buckets' "gs://$bucket"
grant "serviceAccount:$(address_of "$run_as")" roles/secretmanager.secretAccessor secrets "$secret"
grant "serviceAccount:$(address_of "$trigger_as")" roles/eventarc.eventReceiver projects "$project"

# The sweep's instance is one: a second would only meet the first one's leases.
deploy_function "$sweep" workerChartExportSweep --trigger-http --max-instances=1
grant "serviceAccount:$(address_of "$sweep_as")" roles/run.invoker 'run services' "$sweep" --region="$region"
schedule_sweep

deploy_function "$function" workerChartExport --max-instances="$max_instances" --retry \
  --trigger-location="$location" --trigger-service-account="$(address_of "$trigger_as")" \
  --trigger-event-filters=type=google.cloud.firestore.document.v1.updated \
  --trigger-event-filters="database=$database" \
  --trigger-event-filters-path-pattern='document=flow_runs/{runId}'
grant "serviceAccount:$(address_of "$trigger_as")" roles/run.invoker 'run services' "$function" --region="$region"

apply_metrics
apply_alerts
