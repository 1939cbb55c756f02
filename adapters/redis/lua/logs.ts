/** The logs of topics. A log's entries are a list, what is known of it a field: if they disagree, its entries were evicted, and it is lost. */
export const logs: string = String.raw`
local logs, written = {}, {}
local function logOf(topic)
  local log = logs[topic]
  if log ~= nil then return log end
  local stored = call('HGET', base .. 'l', topic)
  if not stored then return nil end
  local epoch, last, tag, before, beforeTag, size = string.match(stored, '^(%S*) (%d+) (%S*) (%d+) (%S*) (%d+)$')
  log = { epoch = epoch, last = tonumber(last), tag = tag, before = tonumber(before), beforeTag = beforeTag, size = tonumber(size), gone = 0 }
  logs[topic] = log
  return log
end
local function keyOf(topic) return base .. 't:' .. topic end
local function isLost(topic, log)
  return call('LLEN', keyOf(topic)) ~= log.last - log.before
end
local function numberOf(topic)
  local number = call('HGET', base .. 'n', topic)
  if number then return number end
  number = call('HINCRBY', base .. 'm', 'numbers', 1)
  hset('n', topic, number)
  return number
end
local function beginLog(topic, epoch)
  local log = { epoch = epoch, last = 0, tag = '0', before = 0, beforeTag = '0', size = 0, gone = 0 }
  call('DEL', keyOf(topic))
  logs[topic], written[topic] = log, true
  change('log', topic, numberOf(topic), epoch)
  return log
end
local function writeLogs()
  for topic in pairs(written) do
    local log = logs[topic]
    if log.gone > 0 then call('LTRIM', keyOf(topic), log.gone, -1) end
    local known = { log.epoch, log.last, log.tag, log.before, log.beforeTag, log.size }
    hset('l', topic, table.concat(known, ' '))
  end
end
local function reserve(topic, epoch)
  local log = logOf(topic)
  if log == nil or (not written[topic] and isLost(topic, log)) then return beginLog(topic, epoch) end
  return log
end
-- An entry's tag, when it was published, and how much it counts.
local function headOf(entry)
  local tag, next = field(entry, 1)
  local time, size = field(entry, next)
  return tag, tonumber(time), tonumber((field(entry, size)))
end
-- The first entry's tag, time and size. Entries are read a few at a time, and removed together at the end: so many are gone already.
local function frontOf(topic, log)
  local fronts = log.fronts
  if fronts == nil or log.read > #fronts then
    fronts = call('LRANGE', keyOf(topic), log.gone, log.gone + 15)
    log.fronts, log.read, log.front = fronts, 1, nil
  end
  if log.front == nil then log.front = { headOf(fronts[log.read]) } end
  return log.front
end
-- Removes the first entry.
local function shift(topic, log)
  local front = frontOf(topic, log)
  log.before, log.beforeTag, log.size, log.gone = log.before + 1, front[1], log.size - front[3], log.gone + 1
  log.read, log.front = log.read + 1, nil
end
-- Histories are kept for as long as they say, also in a room that nobody is in.
local function keepFor(seconds)
  local most = math.min(seconds * 1000 + 3600000, 1e13)
  if most <= keep then return end
  keep = most
  call('HSET', base .. 'm', 'keep', string.format('%.0f', keep))
  call('HDEL', base .. 'm', 'renewed')
end
local function append(topic, messages, bytes, seconds, epoch, message, tag, time, size)
  local log = logOf(topic) or beginLog(topic, epoch)
  local length = call('RPUSH', keyOf(topic), message) - log.gone
  if length ~= log.last - log.before + 1 then
    log = beginLog(topic, epoch)
    length = call('RPUSH', keyOf(topic), message)
  end
  if length == 1 then begin('t:' .. topic) end
  keepFor(seconds)
  log.last, log.tag, log.size, written[topic] = log.last + 1, tag, log.size + size, true
  local oldest = time - seconds * 1000
  while length > 0 and (length > messages or (length > 1 and log.size > bytes) or frontOf(topic, log)[2] <= oldest) do
    shift(topic, log)
    length = length - 1
  end
  return log
end
`;

/** A page of a log. */
export const page: string = String.raw`
local topic, epoch, offset, tag, limit = arg(), arg(), num(), arg(), num()
local log = logOf(topic)
if log == nil or isLost(topic, log) then return '' end
local function tagAt(offset)
  if offset == log.before then return log.beforeTag end
  if offset < log.before or offset > log.last then return nil end
  return (field(call('LINDEX', keyOf(topic), offset - log.before - 1), 1))
end
local known = offset >= 0 and epoch == log.epoch and tagAt(offset) == tag
local start = known and offset or log.before
local count, bytes, entries = 0, 0, {}
-- A few at a time: a page is bounded in size too, and has at least one entry if there is any.
while count < limit and start + count < log.last and bytes < 1048576 do
  local from = start - log.before + count
  for _, entry in ipairs(call('LRANGE', keyOf(topic), from, from + math.min(16, limit - count) - 1)) do
    put(entries, entry)
    bytes, count = bytes + #entry, count + 1
  end
end
local out = {}
put(out, log.epoch, known and 1 or 0, log.before, log.beforeTag, start, count)
return table.concat(out) .. table.concat(entries)
`;
