-- expect: 1.844674407371e+19	1.844674407371e+19	nil
print(tonumber("-ff", 16), tonumber("-1", 2), tonumber("- 1", 2))
