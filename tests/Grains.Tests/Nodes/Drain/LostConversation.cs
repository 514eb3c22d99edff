using System.Reflection;
using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;

namespace Herd.Grains.Tests.Nodes.Drain;

/// <summary>A conversation that is found only when it is asked for the third time.</summary>
public class LostConversation : DispatchProxy
{
    private Exception? _failure;
    private object? _grain;

    /// <summary>The number of calls.</summary>
    public int Asked { get; private set; }

    /// <param name="failure">The failure of calls until then.</param>
    public static (IGrainFactory Grains, LostConversation Conversation) New(Exception failure)
    {
        var conversation = Create<IConversationGrain, LostConversation>();
        ((LostConversation)(object)conversation)._failure = failure;
        var grains = Create<IGrainFactory, LostConversation>();
        ((LostConversation)(object)grains)._grain = conversation;
        return (grains, (LostConversation)(object)conversation);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _grain ?? Migrate();

    private Task<PlacementDecision?> Migrate() => ++Asked < 3
        ? Task.FromException<PlacementDecision?>(_failure!)
        : Task.FromResult<PlacementDecision?>(null);
}
