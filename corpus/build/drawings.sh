# Drawings, models and maps; part of build.sh, which sets `here`, `frozen` and the rest.

mkdir -p stl glb plt geojson kml kmz gml gpx shp tmp/shp
frozen timeout --kill-after=10 120 "$python" "$here/drawings.py" "$out" >tmp/drawings.log
running timeout --kill-after=10 120 "$python" "$here/dwg.py" "$out"

openscad -q -o stl/sign.stl "$here/sign.scad" 2>tmp/openscad.log
assimp export stl/sign.stl glb/sign.glb >tmp/assimp.log
pstoedit -q -f plot-hpgl eps/logo.eps plt/sign-cut.plt

# Maps: the parcels lie around the square before Kawasaki city hall
map() { ogr2ogr -q -oo KEEP_GEOM_COLUMNS=NO -a_srs EPSG:4326 "$@"; }
map -f GeoJSON -lco COORDINATE_PRECISION=6 -nln parcels geojson/parcels.geojson "$here/parcels.csv"
map -f KML -dsco NameField=name -nln parcels kml/parcels.kml "$here/parcels.csv"
map -f LIBKML -nln walk kmz/walk.kmz "$here/walk.csv"
map -f GML -dsco XSISCHEMA=OFF -nln parcels gml/parcels.gml "$here/parcels.csv"
map -f GPX -nln waypoints -nlt POINT gpx/walk.gpx "$here/walk.csv"
map -f 'ESRI Shapefile' -lco ENCODING=CP932 -nln parcels -nlt POLYGON tmp/shp "$here/parcels.csv"
cp tmp/shp/parcels.shp shp/
