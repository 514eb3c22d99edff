using Herd.Contracts;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>The parts of a <see cref="Contracts.Nodes.ISessionGrain"/>'s key.</summary>
internal readonly record struct SessionKey(string Node, string Tenant, string Conversation, string Model)
{
    public static SessionKey Parse(string key) =>
        GrainKey.Split(key) is [var node, var tenant, var conversation, var model]
        ? new SessionKey(node, tenant, conversation, model)
        : throw new FormatException("The key of a session has four parts: node, tenant, conversation and model.");

    public override string ToString() => GrainKey.Session(Node, Tenant, Conversation, Model);
}
