<?xml version="1.0" encoding="utf-8" ?>
<ogr:FeatureCollection
     gml:id="aFeatureCollection"
     xmlns:ogr="http://ogr.maptools.org/"
     xmlns:gml="http://www.opengis.net/gml/3.2">
  <gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>35.5308 139.7029</gml:lowerCorner><gml:upperCorner>35.531 139.7033</gml:upperCorner></gml:Envelope></gml:boundedBy>
                                                                                                                                                     
  <ogr:featureMember>
    <ogr:parcels gml:id="parcels.0">
      <gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>35.5308 139.7029</gml:lowerCorner><gml:upperCorner>35.531 139.7031</gml:upperCorner></gml:Envelope></gml:boundedBy>
      <ogr:geometryProperty><gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326" gml:id="parcels.geom.0"><gml:exterior><gml:LinearRing><gml:posList>35.5308 139.7029 35.5308 139.7031 35.531 139.7031 35.531 139.7029 35.5308 139.7029</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></ogr:geometryProperty>
      <ogr:name>宮本町1番</ogr:name>
      <ogr:use>駐車場</ogr:use>
    </ogr:parcels>
  </ogr:featureMember>
  <ogr:featureMember>
    <ogr:parcels gml:id="parcels.1">
      <gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>35.5308 139.7031</gml:lowerCorner><gml:upperCorner>35.531 139.7033</gml:upperCorner></gml:Envelope></gml:boundedBy>
      <ogr:geometryProperty><gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326" gml:id="parcels.geom.1"><gml:exterior><gml:LinearRing><gml:posList>35.5308 139.7031 35.5308 139.7033 35.531 139.7033 35.531 139.7031 35.5308 139.7031</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></ogr:geometryProperty>
      <ogr:name>宮本町2番</ogr:name>
      <ogr:use>店舗</ogr:use>
    </ogr:parcels>
  </ogr:featureMember>
</ogr:FeatureCollection>
