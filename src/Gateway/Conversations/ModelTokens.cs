using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Routing;

namespace Herd.Gateway.Conversations;

/// <summary>What texts are as tokens, asked of a node that serves the model.</summary>
internal sealed class ModelTokens(ClusterView view, IGrainFactory grains)
{
    /// <summary>The tokens of a text, none of them control tokens.</summary>
    public Task<IReadOnlyList<int>> Tokenize(string model, string text) => Node(model).Tokenize(model, text);

    /// <summary>The text of tokens.</summary>
    public Task<string> Detokenize(string model, IReadOnlyList<int> tokens) => Node(model).Detokenize(model, tokens);

    /// <summary>The text of tokens, control tokens by their names.</summary>
    public Task<string> Show(string model, IReadOnlyList<int> tokens) => Node(model).Show(model, tokens);

    /// <summary>The prompt that a history amounts to.</summary>
    public Task<IReadOnlyList<int>> Prompt(string model, IReadOnlyList<Message> messages, GenerationSettings settings) =>
        Node(model).Prompt(model, [.. messages.Select(message => new HistoryMessage(message.Role, message.Text, null))], settings);

    private INodeGrain Node(string model) => view.Nodes
        .FirstOrDefault(node => node.State == NodeState.Ready && node.Models.Any(served => served.Id == model)) is { } node
            ? grains.GetGrain<INodeGrain>(node.Node)
            : throw view.NotServed(model);
}
