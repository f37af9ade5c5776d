# What people do with the AWS CLI every day, against the cloud at AWS_ENDPOINT_URL. The CLI is
# the first argument, a folder to work in the second.
set -eu
aws() { "$CLI" "$@"; }
CLI=$1
cd "$2"

check() { # WHAT FOUND EXPECTED
    [ "$2" = "$3" ] || { echo "$1: found '$2' instead of '$3'" >&2; exit 1; }
}

check identity "$(aws sts get-caller-identity --query Account --output text)" 000000000000
aws s3 mb s3://shell
mkdir -p site/images
printf hello > "site/a file.txt"
printf picture > site/images/é.svg
dd if=/dev/zero of=site/large bs=1024 count=20000 2> /dev/null

aws s3 sync site s3://shell/site --quiet
check listed "$(aws s3 ls --recursive s3://shell | wc -l | tr -d ' ')" 3
check prefixes "$(aws s3 ls s3://shell/site/ | grep -c PRE)" 1
check unchanged "$(aws s3 sync site s3://shell/site)" ""
check printed "$(aws s3 cp "s3://shell/site/a file.txt" -)" hello
check type "$(aws s3api head-object --bucket shell --key site/images/é.svg --query ContentType --output text)" image/svg+xml

printf streamed | aws s3 cp - s3://shell/streamed --quiet
aws s3 cp s3://shell/streamed s3://shell/copied --quiet
aws s3 mv s3://shell/copied s3://shell/moved --quiet
check moved "$(aws s3 cp s3://shell/moved -)" streamed
aws s3 sync s3://shell/site back --quiet
cmp site/large back/large
check url "$(curl -s "$(aws s3 presign s3://shell/streamed)")" streamed

aws s3api put-bucket-versioning --bucket shell --versioning-configuration Status=Enabled
check versioning "$(aws s3api get-bucket-versioning --bucket shell --query Status --output text)" Enabled
aws s3 rm s3://shell/streamed --quiet
check marked "$(aws s3api list-object-versions --bucket shell --prefix streamed --query 'length(DeleteMarkers)')" 1
check pages "$(aws s3api list-objects-v2 --bucket shell --page-size 1 --query 'length(Contents)')" 4

aws s3 rm s3://shell --recursive --quiet
if aws s3 rb s3://shell 2> refused; then
    echo "a bucket with old versions was removed" >&2
    exit 1
fi
grep -q BucketNotEmpty refused

aws kms encrypt --key-id alias/pulumi --plaintext secret --query CiphertextBlob --output text | base64 -d > blob
check decrypted "$(aws kms decrypt --ciphertext-blob fileb://blob --query Plaintext --output text | base64 -d)" secret
echo done
