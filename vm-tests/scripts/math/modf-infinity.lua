-- expect: inf	0
-- expect: -inf	-0
-- expect: -5	-0	5	0
-- expect: -3	-0.5	0	0
print(math.modf(math.huge))
print(math.modf(-math.huge))
print(math.modf(-5), (select(2, math.modf(-5))), math.modf(5))
print(math.modf(-3.5), (select(2, math.modf(-3.5))), math.modf(0))
