-- expect: -255	-1	nil
-- reference: no its C library reads these as unsigned
print(tonumber("-ff", 16), tonumber("-1", 2), tonumber("- 1", 2))
