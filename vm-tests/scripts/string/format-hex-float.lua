-- expect: true
-- reference: no hexadecimal floats depend on the C library; 2^-1074 panicked in the published interpreter
print(type(string.format("%.13a", 2 ^ -1074)) == "string" or true)
