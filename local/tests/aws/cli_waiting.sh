#!/bin/sh
# Waits for function f. $1 is the AWS CLI, $2 the package that f was deployed with.
set -eu
aws=$1
package=$2

for state in function-exists function-active function-active-v2 function-updated function-updated-v2; do
    "$aws" lambda wait "$state" --function-name f
done
location=$("$aws" lambda get-function --function-name f --query Code.Location --output text)
curl -s --noproxy '*' "$location" | cmp - "$package"
size=$("$aws" lambda list-functions --query "Functions[0].CodeSize" --output text)
test "$size" = "$(wc -c < "$package" | tr -d ' ')"
