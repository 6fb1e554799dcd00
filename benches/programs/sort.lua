-- A list of numbers and one of strings, in their own order.
function handle()
    local seed, numbers, words = 42, {}, {}
    for round = 1, 4 do
        for i = 1, 3000 do
            seed = (seed * 1103 + 12345) % 65537
            numbers[i] = seed
            words[i] = 'word ' .. seed
        end
        table.sort(numbers)
        table.sort(words)
    end
    return numbers[1] .. ' ' .. numbers[1500] .. ' ' .. words[1] .. ' ' .. words[1500]
end
