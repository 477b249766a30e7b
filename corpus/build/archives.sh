# Archives of many systems; part of build.sh, which sets `here`, `names`, `password` and the rest.

mkdir -p tar tgz bz2 xz gz zst cab iso
frozen "$python" "$here/archives.py" "$out"

# Windows Explorer: names in Shift_JIS without a flag, and the files that it hides
explorer=tmp/explorer
mkdir -p "$explorer"
cp tmp/pool-1.jpg "$explorer/$(printf '\x8c\xbb\x92\x6e\x8e\xca\x90\x5e.jpg')" # 現地写真.jpg
(cd tmp && frozen gsf createole explorer/Thumbs.db thumbnail.jpg 2>gsf.log)
printf '[.ShellClassInfo]\r\nIconResource=shell32.dll,4\r\n' >"$explorer/desktop.ini"
find tmp/mac tmp/explorer -exec touch -d '2024-05-24 10:00:00' {} +
(cd "$explorer" && LC_ALL=C zip -q -X "$out/zip/explorer.zip" ./*)
# libarchive is what macOS packs with
(cd tmp/mac && bsdtar --format zip --uid 501 --gid 20 -cf "$out/zip/finder.zip" -- [!_]* __MACOSX)
(cd "$names/utf8" && zip -q -X -0 "$out/zip/stored.zip" ./* && zip -q -X -fz "$out/zip/zip64.zip" ./*)

mkdir -p tmp/office
cp docx/donation-form.docx 'tmp/office/寄附金申込書.docx'
cp xlsx/preliminary-survey.xlsx 'tmp/office/様式1.xlsx'
cp xls/guarantee-subsidy.xls 'tmp/office/内訳.xls'
find tmp/office -exec touch -d '2024-05-24 10:00:00' {} +
(cd tmp/office && 7z a -bd -mmt=1 -tzip "$out/zip/office-set.zip" ./* >../7z.log)
(cd tmp && 7z a -bd -mmt=1 -mhe=on -p"$password" "$out/7z/hidden-names.7z" guarantee.xls childcare.csv >7z.log)

# UNIX and Windows packers
pack() { tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2024-05-24 10:00:00' -C tmp/office "$@" .; }
pack --format=gnu -cf tar/papers.tar
pack --format=pax --pax-option=delete=atime,delete=ctime -cf tmp/papers.tar
gzip -n -9 <tmp/papers.tar >tgz/papers.tgz
bzip2 <tmp/papers.tar >bz2/papers.tar.bz2
xz <tmp/papers.tar >xz/papers.tar.xz
zstd -q <tmp/papers.tar >zst/papers.tar.zst
gzip -n -9 <tmp/childcare.csv >gz/log.csv.gz
(cd tmp && gcab -c -z -n "$out/cab/installer-log.cab" guarantee.xls childcare.csv)
frozen genisoimage -quiet -input-charset utf-8 -J -r -no-pad -V R6_PLAN -o iso/plan-disc.iso tmp/office 2>tmp/iso.log

# Shape files travel in a ZIP, a map for the phone is one
find tmp/shp -exec touch -d '2024-05-24 10:00:00' {} +
(cd tmp/shp && zip -q -X "$out/zip/parcels-shape.zip" ./*)
