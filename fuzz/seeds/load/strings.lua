return "\a\b\f\n\r\t\v\\\"\'\65\x41\u{41}\z
   x", [==[ ]] ]==], 0x7fffffffffffffff, 1e308, .5, 3., 0xA.8p1 --[[ c ]] -- d
