-- expect: false	table index is NaN
-- expect: nil	nil
print(pcall(rawset, {}, 0 / 0, 1))
print(rawget({}, 0 / 0), rawget({}, nil))
