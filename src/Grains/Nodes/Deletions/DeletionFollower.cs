using Herd.Contracts;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Nodes.Sessions;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Herd.Grains.Nodes.Deletions;

/// <summary>
/// Frees what this node has of deleted conversations and turns, wherever it is: KV caches on the device, in host memory
/// and on disk, and replay buffers. A node that was away, or that begins with files of an earlier process, reads all
/// deletions of the last days. KV caches that were not used for longer than deletions are kept are freed too.
/// </summary>
internal sealed class DeletionFollower(NodeHost host, IDeletionLog log, ReplayBuffers buffers, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Deletions up to so long before the latest one are read again: clocks of stores differ.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Each deletion is carried out at two looks: a transfer that began before the first may end after it.
    /// </summary>
    private const int Looks = 2;

    private readonly Dictionary<Deletion, int> _looks = [];
    private long _since;

    /// <summary>Carries out what was deleted since the last look.</summary>
    internal async Task Look()
    {
        foreach (var deletion in await log.Read(_since))
        {
            _looks.TryAdd(deletion, Looks);
        }

        if (host.Loaded is not { } model)
        {
            return;
        }

        var due = _looks.Where(look => look.Value > 0).Select(look => look.Key).ToList();
        var deleted = due.Select(deletion => (deletion.Tenant, deletion.Conversation)).ToHashSet();
        foreach (var session in await model.Engine.Sessions())
        {
            if (session.Idle > Deletion.MaxIdle || IsOf(session.Session, deleted))
            {
                model.Engine.Forget(session.Session);
            }
        }

        var answering = buffers.Sessions.Count(session => IsOf(session, deleted) && !buffers.TryErase(session));

        // The engine has forgotten them once it answers again, unless it ends: then the next one reads the files.
        await model.Engine.Sessions();
        if (answering == 0 && host.Loaded == model && !model.Engine.Completion.IsCompleted)
        {
            Advance(due);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Look();
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store does not respond. Nothing can be deleted there meanwhile.
            }
        }
    }

    private void Advance(List<Deletion> carriedOut)
    {
        foreach (var deletion in carriedOut)
        {
            _looks[deletion]--;
        }

        _since = Math.Max(_since, _looks.Keys.Select(deletion => deletion.At).DefaultIfEmpty(0).Max()
            - (long)Overlap.TotalMilliseconds);
        foreach (var old in _looks.Where(look => look.Key.At < _since && look.Value <= 0).ToList())
        {
            _looks.Remove(old.Key);
        }
    }

    /// <summary>True if a session's conversation is among those.</summary>
    private static bool IsOf(string session, HashSet<(string Tenant, string Conversation)> conversations) =>
        conversations.Count > 0
        && GrainKey.Split(session) is [_, var tenant, var conversation, _]
        && conversations.Contains((tenant, conversation));
}
