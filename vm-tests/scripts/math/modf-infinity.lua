-- expect: inf	0
-- expect: -inf	-0
print(math.modf(math.huge))
print(math.modf(-math.huge))
