using System.Text.Json;
using Google.Protobuf.Reflection;
using Herd.Gateway.Generation;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;

namespace Herd.Gateway.Requests;

/// <summary>
/// Checks the JSON of herd.v1's calls over HTTP before gRPC's transcoding reads it, which reports no field. The texts
/// of its messages, which have no others within, are checked by name.
/// </summary>
internal sealed class TranscodedBody(RequestDelegate next)
{
    public async Task Invoke(HttpContext context)
    {
        var method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>()?.MethodDescriptor;
        if (method is not null && await context.Request.ReadText() is { Length: > 0 } body)
        {
            Check(body.Span, method.InputType);
            context.Request.Body = new MemoryStream(body.ToArray());
        }

        await next(context);
    }

    private static void Check(ReadOnlySpan<byte> body, MessageDescriptor message)
    {
        JsonCheck.Check(body, type: null, $"a {message.Name}");
        var reader = new Utf8JsonReader(body);
        using var document = JsonDocument.ParseValue(ref reader);
        var root = new Field<JsonElement?>("body", document.RootElement);
        foreach (var field in message.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.String))
        {
            foreach (var name in new[] { field.JsonName, field.Name }.Distinct())
            {
                (root.Member(name) with { Name = name }).Text();
            }
        }
    }
}
