-- expect: 4	1024	1	0	3
-- expect: 1.4142135623731	1.4142135623731	2.718281828459
-- expect: 1024	0.5	0	0
-- expect: -0.6	-1
-- expect: 2.0794415416798
-- expect: -inf	true
print(math.sqrt(16), math.pow(2, 10), math.exp(0), math.log(1), math.log10(1000))
print(math.pow(2, 0.5), math.sqrt(2), math.exp(1))
print(math.ldexp(1, 10), math.frexp(8), math.frexp(0))
print(math.frexp(-0.3))
print(math.log(8, 2))
print(math.log(0), math.sqrt(-1) ~= math.sqrt(-1))
