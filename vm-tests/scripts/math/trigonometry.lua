-- expect: 0	1	0	1.5707963267949	0	0.78539816339745
-- expect: 2.3561944901923	3.1415926535898	180	3.1415926535898
-- expect: 1.1752011936438	1.5430806348152	0.76159415595576
-- expect: 0.8414709848079	0.54030230586814	1.5574077246549
print(math.sin(0), math.cos(0), math.tan(0), math.asin(1), math.acos(1), math.atan(1))
print(math.atan2(1, -1), math.atan2(0, -1), math.deg(math.pi), math.rad(180))
print(math.sinh(1), math.cosh(1), math.tanh(1))
print(math.sin(1), math.cos(1), math.tan(1))
