// A free-standing sign of a shop, in millimetres.
translate([-40, -40, 0]) cube([80, 80, 2400]);
translate([-600, -30, 1500]) cube([1200, 60, 800]);
