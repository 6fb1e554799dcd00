-- expect: 3.1415926535898	inf
-- expect: 1	-2	2	-1	3	3
-- expect: 3	2.5	0.5
-- expect: 2	1e+100	-0
-- expect: 1	-1	1	1.5
-- expect: 3	-3	-0.7
-- expect: 5	0
print(math.pi, math.huge)
print(math.floor(1.5), math.floor(-1.5), math.ceil(1.5), math.ceil(-1.5), math.floor(3), math.ceil(3))
print(math.abs(-3), math.abs(2.5), math.abs(-0.5))
print(math.floor("2.7"), math.floor(1e100), math.ceil(-0.5))
print(math.fmod(7, 3), math.fmod(-7, 3), math.fmod(7, -3), math.fmod(5.5, 2))
print(math.modf(3.7), math.modf(-3.7))
print(math.modf(5))
