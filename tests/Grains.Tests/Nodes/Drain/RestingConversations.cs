using System.Collections.Concurrent;
using System.Reflection;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;

namespace Herd.Grains.Tests.Nodes.Drain;

/// <summary>Conversations whose moves wait until the test lets them go. Their sessions stay.</summary>
public class RestingConversations : DispatchProxy
{
    private readonly ConcurrentQueue<string> _asked = [];
    private readonly TaskCompletionSource _allAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RestingConversations? _all;
    private string _id = "";
    private int _atATime;
    private int _calls;

    /// <summary>The conversations that were asked to move.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    /// <summary>Completes when as many as move at a time were asked.</summary>
    public Task AllAsked => _allAsked.Task;

    public static (IGrainFactory Grains, RestingConversations Conversations) New(int atATime)
    {
        var grains = Create<IGrainFactory, RestingConversations>();
        var conversations = (RestingConversations)(object)grains;
        conversations._atATime = atATime;
        return (grains, conversations);
    }

    /// <summary>Lets all moves end.</summary>
    public void Go() => _go.SetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _all is null ? Conversation(GrainKey.Split((string)args![0]!)[1]) : _all.Migrate(_id);

    private IConversationGrain Conversation(string id)
    {
        var conversation = Create<IConversationGrain, RestingConversations>();
        var proxy = (RestingConversations)(object)conversation;
        (proxy._all, proxy._id) = (this, id);
        return conversation;
    }

    private async Task<PlacementDecision?> Migrate(string id)
    {
        _asked.Enqueue(id);
        if (Interlocked.Increment(ref _calls) == _atATime)
        {
            _allAsked.SetResult();
        }

        await _go.Task;
        return null;
    }
}
