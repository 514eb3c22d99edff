using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;

namespace Herd.Gateway.Conversations;

/// <summary>Tokenizes and embeds texts on a node that serves the model.</summary>
internal sealed class ModelTokens(NodeRegistry registry, IGrainFactory grains)
{
    /// <summary>The tokens of a text, without control tokens.</summary>
    public Task<IReadOnlyList<int>> Tokenize(string model, string text) => Node(model).Tokenize(model, text);

    /// <summary>The text of tokens.</summary>
    public Task<string> Detokenize(string model, IReadOnlyList<int> tokens) => Node(model).Detokenize(model, tokens);

    /// <summary>The text of tokens. Control tokens appear by name.</summary>
    public Task<string> Show(string model, IReadOnlyList<int> tokens) => Node(model).Show(model, tokens);

    /// <summary>The tokens of the prompt for a history.</summary>
    public Task<IReadOnlyList<int>> Prompt(
        string model, IReadOnlyList<Message> messages, GenerationSettings settings) =>
        Node(model).Prompt(
            model, [.. messages.Select(message => new HistoryMessage(message.Role, message.Text, null))], settings);

    /// <summary>The embeddings of texts: one vector each.</summary>
    public Task<Embeddings> Embed(string model, IReadOnlyList<string> texts) => Node(model).Embed(model, texts);

    /// <summary>The node with the fewest active and queued turns.</summary>
    private INodeGrain Node(string model)
    {
        var names =
            from node in registry.Nodes
            where node.State == NodeState.Ready
            from served in node.Models
            where served.Id == model
            orderby served.Active + served.Queued
            select node.Node;
        return names.FirstOrDefault() is { } name
            ? grains.GetReachableGrain<INodeGrain>(name)
            : throw RoutingErrors.NotServed(model, registry.Models);
    }
}
