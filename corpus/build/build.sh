#!/usr/bin/env bash
# Makes the files of the built-in corpus on Debian 12, each with a program that people use to write such files.
#
#   apt-get install --no-install-recommends $(grep -v '^#' packages.txt)
#   python3 -m venv VENV && VENV/bin/pip install -r requirements.txt
#   npm install --prefix NODE --no-package-lock $(grep -v '^#' packages-npm.txt)
#   PYTHON=VENV/bin/python NODE_PATH=NODE/node_modules corpus/build/build.sh OUT
#
# OUT is an empty folder; copy from it what is to change under corpus/files, then run seal.py and check.py.
set -euo pipefail
shopt -s nullglob

out=$(realpath -m "${1:?usage: build.sh OUT}")
here=$(cd "$(dirname "$0")" && pwd)
python=$(realpath -s "${PYTHON:?set PYTHON to the Python of the virtual environment}")
NODE_PATH=$(realpath "${NODE_PATH:?set NODE_PATH to the node_modules of packages-npm.txt}")
export NODE_PATH

export TZ=Asia/Tokyo LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export SOURCE_DATE_EPOCH=1716771600 # 2024-05-27 10:00 JST
# LibreOffice hangs on a frozen clock.
running() { faketime -f '@2024-05-27 10:00:00' "$@"; }
frozen() { faketime -f '2024-05-27 10:00:00' "$@"; }
# Harmless and public: they keep scanners out of the containers, nothing else.
password=Kawasaki2024

mkdir -p "$out"
[ -z "$(ls -A "$out")" ] || { echo "error: \`$out\` is not empty" >&2; exit 2; }
cd "$out"
mkdir -p tmp pdf docx pptx xlsx heic webp bmp svg xml zip 7z lzh mp3 mp4 mov p7m
mkdir -p epub md xps ps eps db p7s p7b pem cer crt csr p12 gpg asc

# Office files, pictures, data
(cd "$here" && running timeout --kill-after=10 300 /usr/bin/python3 office.py "$out")
(cd "$here" && frozen "$python" images.py "$out" && frozen "$python" data.py "$out")
# ReportLab has a fixed date of its own, with which these were first made.
(cd "$here" && frozen env -u SOURCE_DATE_EPOCH "$python" trips.py "$out")
(cd "$here" && frozen "$python" documents.py "$out" && running timeout --kill-after=10 120 "$python" browser.py "$out")
(cd "$here" && frozen node containers.cjs "$out" && "$python" headers.py "$out")
xmllint --format --encode UTF-8 --output xml/hygiene.xml tmp/hygiene.xml

# PDF
qpdf --deterministic-id --linearize tmp/collection-request.pdf pdf/linearized.pdf
qpdf --encrypt "$password" owner 256 -- tmp/collection-request.pdf pdf/encrypted.pdf
# The attached mail stays uncompressed, so that the file holds a newline followed by two hyphens.
qpdf --deterministic-id --compress-streams=n --object-streams=disable \
  --add-attachment tmp/mail.txt --filename=mail.txt --mimetype=text/plain \
  --creationdate="D:20240527100000+09'00'" --moddate="D:20240527100000+09'00'" -- \
  tmp/collection-request.pdf pdf/newline-dashes.pdf
# Anyone may read it, and only the owner may print or copy.
qpdf --encrypt '' owner 256 --print=none --extract=n --modify=none -- tmp/house-rules.pdf pdf/print-restricted.pdf
frozen ps2pdf tmp/house-rules.pdf pdf/ghostscript.pdf
QT_QPA_PLATFORM=offscreen frozen librecad dxf2pdf -a -m -t tmp/cad tmp/plan.dxf >tmp/librecad.log 2>&1
cp tmp/cad/plan.pdf pdf/cad-a3.pdf

# Word processing, books, page descriptions
pandoc "$here/letter.md" -o docx/fire-question.docx
pandoc "$here/letter.md" -t gfm -s -o md/fire-question.md
frozen pandoc "$here/booklet.md" -o epub/bulletin.epub
frozen gs -q -dNOPAUSE -dBATCH -sDEVICE=xpswrite -o xps/collection-request.xps tmp/collection-request.pdf
frozen pdftops -level3 tmp/collection-request.pdf ps/collection-request.ps
frozen rsvg-convert --format=eps --output=eps/logo.eps "$here/logo.svg"

# Pictures: the place is the square before Kawasaki city hall
exiftool -q -overwrite_original -Make=Example -Model='Camera 1' -Orientation=1 -n \
  -DateTimeOriginal='2024:05:26 11:20:00' -GPSLatitude=35.5309 -GPSLatitudeRef=N \
  -GPSLongitude=139.7030 -GPSLongitudeRef=E -GPSAltitude=3 -GPSAltitudeRef=0 jpeg/site-photo.jpg
exiftool -q -overwrite_original -XMP-dc:Title='かわさき市民音楽祭' -XMP-dc:Rights=CC0-1.0 \
  -XMP-xmp:CreatorTool='Example Designer' -XMP-xmp:CreateDate='2024:05:01 09:00:00+09:00' jpeg/flyer-xmp.jpg
# heif-enc carries the EXIF over, as a phone would write it
exiftool -q -overwrite_original -Make=Example -Model='Phone 1' -DateTimeOriginal='2024:05:26 20:41:00' tmp/passbook.jpg
heif-enc -q 47 -o heic/passbook.heic tmp/passbook.jpg >tmp/heif.log
cwebp -quiet -q 50 tmp/park.png -o webp/park.webp
convert tmp/map.png -resize 160x120 -colors 16 -type palette BMP3:bmp/map.bmp
rsvg-convert --format=svg --output=svg/logo.svg "$here/logo.svg"

# Sound and film
exact=(-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact)
film=(-f lavfi -i testsrc2=size=320x240:rate=12:duration=2 -f lavfi -i sine=frequency=440:duration=2
  -c:v libx264 -preset veryslow -crf 34 -pix_fmt yuv420p -threads 1 -c:a aac -b:a 24k -ac 1)
ffmpeg -v error -nostdin "${film[@]}" "${exact[@]}" -metadata creation_time=2024-05-24T10:00:00Z \
  -movflags +faststart mp4/pool-drain.mp4
ffmpeg -v error -nostdin "${film[@]}" "${exact[@]}" -metadata creation_time=2024-05-26T10:00:00Z mov/site-tour.mov
ffmpeg -v error -nostdin -f lavfi -i sine=frequency=523:duration=2 -c:a libmp3lame -b:a 32k -ac 1 "${exact[@]}" \
  -metadata title='勧誘電話の録音' -metadata track=1 -metadata comment='5月20日 14時' -id3v2_version 3 mp3/call-record.mp3

# Encrypted office files
"$python" -m msoffcrypto -e -p "$password" xlsx/rent-subsidy.xlsx xlsx/rent-password.xlsx
"$python" -m msoffcrypto -e -p "$password" tmp/account-form.docx docx/account-password.docx
"$python" -m msoffcrypto -e -p "$password" tmp/vaccination.docx docx/vaccination-password.docx
"$python" -m msoffcrypto -e -p "$password" tmp/donation-plan.pptx pptx/donation-password.pptx
rm xlsx/rent-subsidy.xlsx

# A database of measurements
sqlite3 db/measurements.db <<'SQL'
CREATE TABLE 測定 (日時 TEXT, 地点 TEXT, 粉じん REAL);
INSERT INTO 測定 VALUES ('2024-05-24 09:00', '敷地境界 東', 0.021), ('2024-05-24 10:00', '敷地境界 東', 0.024);
SQL

# Archives: first with UTF-8 names, then with names in Shift_JIS and no flag, as Windows writes them
names=tmp/names
mkdir -p "$names/utf8" "$names/sjis"
cp tmp/pool-1.jpg "$names/utf8/写真1_正面.jpg"
cp tmp/pool-2.jpg "$names/utf8/写真2_排水口.jpg"
cp tmp/pool-1.jpg "$names/sjis/$(printf '\x8e\xca\x90\x5e\x95\x5c.jpg')" # 写真表.jpg: 0x5C in the last byte of 表
cp tmp/mail.txt "$names/sjis/$(printf '\x90\x5c\x90\xbf\x8f\x91.txt')" # 申請書.txt: 0x5C in the last byte of 申
find "$names" -type f -exec touch -d '2024-05-24 10:00:00' {} +
(cd "$names/utf8" && zip -q -X ../../../zip/photos-utf8.zip ./*)
(cd "$names/sjis" && LC_ALL=C zip -q -X ../../../zip/papers-sjis.zip ./*)
cp xls/guarantee-subsidy.xls tmp/guarantee.xls
cp csv/childcare-sjis.csv tmp/childcare.csv
touch -d '2024-05-24 10:00:00' tmp/*.xls tmp/*.csv
(cd tmp && 7z a -bd -tzip -mem=ZipCrypto -p"$password" ../zip/papers-zipcrypto.zip guarantee.xls >7z.log)
(cd tmp && 7z a -bd -tzip -mem=AES256 -p"$password" ../zip/list-aes.zip childcare.csv >7z.log)
(cd tmp && 7z a -bd -mmt=1 ../7z/plans.7z guarantee.xls childcare.csv >7z.log)
(cd tmp && jlha c0q2 ../lzh/meters.lzh guarantee.xls childcare.csv >jlha.log)

# A signed copy, with a certificate of a person who does not exist; the key is thrown away
frozen openssl req -x509 -newkey rsa:2048 -nodes -keyout tmp/key.pem -out tmp/certificate.pem -days 36500 \
  -set_serial 1 -subj '/C=JP/O=Example Credit Union/CN=Kawasaki Taro' 2>tmp/openssl.log
frozen openssl cms -sign -binary -nodetach -outform DER -in xls/guarantee-subsidy.xls \
  -signer tmp/certificate.pem -inkey tmp/key.pem -out p7m/guarantee-signed.p7m

# The certificate itself, in the forms in which people send one, a request for one, a separate signature
openssl x509 -in tmp/certificate.pem -out pem/certificate.pem
openssl x509 -in tmp/certificate.pem -outform DER -out cer/certificate.cer
openssl x509 -in tmp/certificate.pem -text -out crt/certificate.crt
openssl crl2pkcs7 -nocrl -certfile tmp/certificate.pem -outform DER -out p7b/chain.p7b
openssl req -new -key tmp/key.pem -subj '/C=JP/O=Example Credit Union/CN=forms.example' -out csr/request.csr
openssl pkcs12 -export -in tmp/certificate.pem -inkey tmp/key.pem -passout "pass:$password" -out p12/account.p12
frozen openssl cms -sign -binary -outform DER -in xls/guarantee-subsidy.xls \
  -signer tmp/certificate.pem -inkey tmp/key.pem -out p7s/guarantee.p7s

# OpenPGP: a file that only its receiver can read, and a signature beside a file; both keys are thrown away
export GNUPGHOME=$out/tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
pgp() {
  gpg --faked-system-time '20240527T010000!' --quiet --batch --no-tty --pinentry-mode loopback --passphrase '' "$@"
}
pgp --quick-generate-key 'Example Credit Union <info@bank.example>' default default never 2>tmp/gpg.log
pgp --trust-model always -r info@bank.example -o gpg/accounts.gpg --encrypt csv/childcare-sjis.csv
pgp --armor --output asc/accounts.asc --detach-sign csv/childcare-sjis.csv
gpgconf --kill all
cp tmp/pool-1.jpg jpeg/pool-drain.jpg

. "$here/media.sh"
. "$here/drawings.sh"
. "$here/archives.sh"
rm -r tmp

# What made them: the packages, the libraries that write for them, the Python packages. One that is missing is a
# difference as well, for `check.py --rebuilt` to tell.
{
    # shellcheck disable=SC2046
    dpkg-query -W -f '${Package} ${Version}\n' $(sed '/^$/q; /^#/d' "$here/packages.txt") python3 \
        libreoffice-core-nogui libcairo2 libheif1 libmp3lame0 'libwebp[0-9]' 'libx26[45]-*' zlib1g || true
    "$python" -m pip freeze --disable-pip-version-check
} | LC_ALL=C sort -u >versions.txt
find . -type f | sort
