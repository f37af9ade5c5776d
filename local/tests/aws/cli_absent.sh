#!/bin/sh
# Calls services that the embedded cloud does not have. $1 is the AWS CLI.
set -eu
aws=$1

# $1 is what the error must name; the rest is the call.
refused() {
    named=$1
    shift
    if output=$("$aws" "$@" 2>&1); then
        echo "aws $* went well: $output" >&2
        exit 1
    fi
    for part in "$named" "The embedded cloud has no" docs/compatibility; do
        case $output in
        *"$part"*) ;;
        *)
            echo "aws $* does not say $part: $output" >&2
            exit 1
            ;;
        esac
    done
}

refused apigateway apigateway get-rest-apis
refused ListUsers iam list-users
refused ListTopics sns list-topics
refused ListWorkGroups athena list-work-groups
refused GetDatabases glue get-databases
refused ListMetrics cloudwatch list-metrics
refused DescribeAlarms cloudwatch describe-alarms
refused layers lambda list-layers
refused cloudfront cloudfront list-distributions
refused DescribeInstances ec2 describe-instances
refused route53 route53 list-hosted-zones
refused GetSessionToken sts get-session-token
refused ListTables dynamodb list-tables
refused CreateLogGroup logs create-log-group --log-group-name g
refused CreateDeliveryStream firehose create-delivery-stream --delivery-stream-name s
refused ListKeys kms list-keys
refused scheduler scheduler list-schedules
