-- expect: 42    42|42   |00042 +42  42
-- expect: a          b|c         |de
-- expect: ff FF 0xff 10
-- expect: 1.500000 1.00      3.142 1.234568e+04 1.200e-04 1e+20 0.1 100
-- expect: Hi	%	    A|
-- expect: "say \"hi\"\
-- expect: \\ \000 \r"
-- expect: 5 7	1.5	5
-- expect:   2.2|2.50    |+0.1	0	0.1
-- expect: 10	3
-- expect: 005	   ab   cd	abcdefg|
-- expect: inf -inf 0	0.10000000000000000555
-- expect: 1e-05 123456 1.23457e+06 0.001
print(string.format("%d %5d|%-5d|%05d %+d % d", 42, 42, 42, 42, 42, 42))
print(string.format("%s %10s|%-10s|%.2s", "a", "b", "c", "defg"))
print(string.format("%x %X %#x %o", 255, 255, 255, 8))
print(string.format("%f %.2f %10.3f %e %.3e %g %g %g", 1.5, 1.005, 3.14159, 12345.678, 0.00012, 1e20, 0.1, 100))
print(string.format("%c%c", 72, 105), string.format("%%"), string.format("%5c|", 65))
print(string.format("%q", 'say "hi"\n\\ \0 \r'))
print(string.format("%i %u", 5, 7), string.format("%s", 1.5), string.format("%s", 10 / 2))
print(string.format("%5.1f|%-8.2f|%+.1f", 2.25, 2.5, 0.05), string.format("%.0f", 0.5), string.format("%.14g", 0.1))
print(string.format("%d", "10"), string.format("%d", 3.0))
print(string.format("%.3d", 5), string.format("%5s%5s", "ab", "cd"), string.format("%-5s|", "abcdefg"))
print(string.format("%g %g %g", 1e300 * 1e10, -1e300 * 1e10, 0), string.format("%.20f", 0.1))
print(string.format("%g %g %g %g", 1e-5, 123456, 1234567, 0.001))
