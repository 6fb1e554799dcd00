-- Numeric loops over locals: arithmetic, comparisons and jumps, no call and no table.
function handle()
    local sum, odd = 0, 0
    for i = 1, 1000 do
        local product = i
        for j = 1, 400 do
            product = product + i * j
            if product > 1000000 then product = product - 999983 end
        end
        sum = sum + product
    end
    local i = 0
    while i < 200000 do
        i = i + 3
        if i > 100000 then odd = odd + 1 end
    end
    return sum .. ' ' .. odd
end
