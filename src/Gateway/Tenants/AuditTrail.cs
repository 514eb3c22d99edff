using System.Net;
using Herd.Contracts.Errors;
using Herd.Gateway.Grpc;
using Microsoft.AspNetCore.Http.Features;
using Code = Google.Rpc.Code;

namespace Herd.Gateway.Tenants;

/// <summary>Metadata of endpoints whose calls are audited, refused ones too.</summary>
internal sealed record Audited;

/// <summary>
/// Writes a line for each audited call: who made it, from where, what it was about, and its result. The line never has
/// the content of a conversation.
/// </summary>
internal sealed class AuditTrail(RequestDelegate next, Audit audit)
{
    private const string GrpcStatus = "grpc-status";

    public async Task Invoke(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Audited>() is null)
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
            audit.Called(context, ResultOf(context.Response));
        }
        catch (Exception e)
        {
            var code = e is HerdException herd ? ErrorInterceptor.CodeOf(herd.Error) : Code.Internal;
            audit.Called(context, $"{code}");
            throw;
        }
    }

    /// <summary>The status of a gRPC call, which is a header if the response has no body; else that of HTTP.</summary>
    private static string ResultOf(HttpResponse response)
    {
        var trailers = response.HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        var status = response.Headers[GrpcStatus].ToString() is { Length: > 0 } header
            ? header
            : trailers?[GrpcStatus].ToString();
        return int.TryParse(status, out var code) ? $"{(Code)code}" : $"{(HttpStatusCode)response.StatusCode}";
    }
}
