#!/bin/sh
# Invalidates paths of a distribution. $1 is the AWS CLI, $2 the distribution.
set -eu
aws=$1
distribution=$2

id=$("$aws" cloudfront create-invalidation --distribution-id "$distribution" --paths "/*" /index.html \
    --query Invalidation.Id --output text)
"$aws" cloudfront wait invalidation-completed --distribution-id "$distribution" --id "$id"
paths=$("$aws" cloudfront get-invalidation --distribution-id "$distribution" --id "$id" \
    --query "length(Invalidation.InvalidationBatch.Paths.Items)" --output text)
test "$paths" = 2
listed=$("$aws" cloudfront list-invalidations --distribution-id "$distribution" \
    --query "InvalidationList.Items[0].Id" --output text)
test "$listed" = "$id"
