# Pictures, sound and film by command-line programs; part of build.sh, which sets `here`, `frozen` and the rest.

mkdir -p heif avif jp2 jxl ico eps ai wav amr 3gp m4a aac flac ogg opus wma wmv avi webm
frozen "$python" "$here/cameras.py" "$out"

# JPEG: a thumbnail as cameras add it, and the comment that a blog's converter leaves
exiftool -q -overwrite_original '-ThumbnailImage<=tmp/thumbnail.jpg' jpeg/maker-note.jpg 2>tmp/exiftool.log
wrjpgcom -replace -comment 'CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 75' tmp/blog.jpg >jpeg/comment.jpg

# Phones and new formats: heif-enc carries EXIF and place over
heif-enc -q 45 -o heic/site-gps.heic tmp/site.jpg >tmp/heif.log
heif-enc -q 40 -o heic/live-photo.heic tmp/live.jpg >tmp/heif.log
heif-enc -q 40 -o heif/festival.heif tmp/heif.jpg >tmp/heif.log
avifenc --jobs 1 --min 30 --max 40 tmp/night.png avif/night.avif >tmp/avif.log
cjxl --quiet --num_threads=0 -q 60 tmp/night.png jxl/night.jxl 2>tmp/jxl.log
opj_compress -r 60 -i tmp/night.png -o jp2/old-map.jp2 >tmp/jp2.log
cwebp -quiet -lossless tmp/room.png -o webp/room-lossless.webp
cwebp -quiet -q 40 -metadata exif tmp/site.jpg -o webp/site-exif.webp
for number in 1 2 3 4 5 6; do frames+=(-lossless -d 200 "tmp/frame-$number.png"); done
img2webp -loop 0 "${frames[@]}" -o webp/sign-moving.webp 2>tmp/webp.log

# PNG in passes, and TIFF of two pages as a multi-function printer sends it
convert tmp/room.png -define png:exclude-chunks=date,time -interlace PNG png/room-interlaced.png
tiffcp -c g4 tmp/sheet-1.tif tmp/sheet-2.tif tiff/certificates.tif

# Drawn by design programs
icotool --create --output=ico/shop.ico tmp/icon-16.png tmp/icon-32.png
frozen rsvg-convert --format=pdf --output=ai/logo.ai "$here/logo.svg"
dot -Tsvg -o svg/screens.svg "$here/screens.dot"

# Sound
sox -R -n -r 8000 -b 8 -c 1 wav/noise.wav synth 2 sine 440 tremolo 6 vol 0.4
sox -R wav/noise.wav -r 8000 -t amr-nb amr/voice-memo.amr
flac --silent --no-padding --no-seektable --totally-silent -o flac/piece.flac wav/noise.wav
oggenc --quiet --serial 1 --output ogg/announcement.ogg wav/noise.wav
ffmpeg -v error -nostdin -i wav/noise.wav -c:a libopus -b:a 16k "${exact[@]}" opus/voice-message.opus
ffmpeg -v error -nostdin -i wav/noise.wav -c:a aac -b:a 24k "${exact[@]}" -metadata creation_time=2024-05-20T05:00:00Z \
  -f ipod m4a/interview.m4a
ffmpeg -v error -nostdin -i wav/noise.wav -c:a aac -b:a 24k "${exact[@]}" -f adts aac/ring.aac
ffmpeg -v error -nostdin -i wav/noise.wav -c:a wmav2 -b:a 32k -ar 22050 "${exact[@]}" wma/meeting.wma
ffmpeg -v error -nostdin -i wav/noise.wav -i tmp/thumbnail.jpg -map 0 -map 1 -c:a libmp3lame -b:a 32k -c:v copy \
  "${exact[@]}" -metadata title='第1楽章' -metadata artist='かわさき音楽を楽しむ会' -metadata track=1/3 \
  -metadata:s:v comment='Cover (front)' -id3v2_version 3 mp3/demo-cover.mp3

# Film: a new phone, an old phone, a camera of ten years ago, Windows, a browser
short=(-f lavfi -i testsrc2=size=176x144:rate=10:duration=1)
ffmpeg -v error -nostdin "${short[@]}" -c:v libx265 -preset veryslow -crf 36 -pix_fmt yuv420p -tag:v hvc1 \
  -x265-params log-level=none:pools=none:frame-threads=1 "${exact[@]}" mp4/crossing-hevc.mp4
ffmpeg -v error -nostdin "${short[@]}" -f lavfi -i sine=frequency=440:duration=1 -c:v h263 -b:v 40k -c:a aac -b:a 16k \
  -ac 1 "${exact[@]}" 3gp/old-phone.3gp
ffmpeg -v error -nostdin "${short[@]}" -f lavfi -i sine=frequency=440:duration=1 -c:v mjpeg -q:v 12 -c:a pcm_u8 \
  -ar 8000 "${exact[@]}" avi/dashcam.avi
ffmpeg -v error -nostdin "${short[@]}" -c:v wmv2 -b:v 80k "${exact[@]}" wmv/briefing.wmv
ffmpeg -v error -nostdin "${short[@]}" -c:v libvpx -b:v 60k -threads 1 "${exact[@]}" webm/screen-recording.webm
phone() { # NAME KEY=VALUE..: an upright film, with what a phone says of itself
  local name=$1 keys=() key
  shift
  for key in make=Example model='Phone 1' creationdate=2024-05-26T11:20:00+0900 "$@"; do
    keys+=(-metadata "com.apple.quicktime.$key")
  done
  ffmpeg -v error -nostdin "${short[@]}" -c:v libx264 -preset veryslow -crf 36 -pix_fmt yuv420p -threads 1 \
    "${exact[@]}" -metadata creation_time=2024-05-26T02:20:00Z "${keys[@]}" \
    -movflags use_metadata_tags "mov/$name.mov"
  exiftool -q -overwrite_original -Rotation=90 "mov/$name.mov"
}
phone phone-gps location.ISO6709=+35.5309+139.7030+003.000/
phone live-photo content.identifier=5A1B0C6E-0000-4000-8000-000000000001
